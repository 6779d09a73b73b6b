import type { Plan } from '../plan.js';
export async function produce(_url: string, _out: string, _plan: Plan): Promise<void> {}
