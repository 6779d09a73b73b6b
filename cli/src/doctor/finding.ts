/** What the doctor finds, and how it is printed. */
import { platform } from 'node:process';

export interface Finding {
  /** The heading under which it is printed; findings of one area follow one another. */
  readonly area: string;
  readonly name: string;
  /** `failed`: training or sampling on the CPU needs it; `missing`: only other features need it. */
  readonly state: 'ok' | 'note' | 'missing' | 'failed';
  readonly detail: string;
  /** A command that installs what is missing. */
  readonly remedy?: string;
}

const MARKS = { ok: '✓', note: '!', missing: '–', failed: '✗' } as const;

/** Findings as text for a person, under the names of their areas. */
export function describe(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .map(({ area, name, state, detail, remedy }, i) => {
      const title = area === findings[i - 1]?.area ? '' : `${i ? '\n' : ''}${area}\n`;
      const line = `  ${MARKS[state]} ${name.padEnd(width)}  ${detail}\n`;
      return `${title}${line}${remedy ? `${' '.repeat(width + 6)}→ ${remedy}\n` : ''}`;
    })
    .join('');
}

/** The remedy for something that Debian and its derivatives have as a package. */
export const apt = (packages: string): { remedy?: string } =>
  platform === 'linux' ? { remedy: `sudo apt install ${packages}` } : {};
