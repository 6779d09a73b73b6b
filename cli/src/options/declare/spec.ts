/** How options are declared, as in the command of @gpn/export, and those that several commands have. */
import { choice, withDefault } from '@gpn/export/command';

export {
  choice,
  conflicting,
  type Declaration,
  declare,
  flag,
  type Given,
  type OptionsOf,
  parsed,
  required,
  type Spec,
  switchedOff,
  text,
  withDefault,
} from '@gpn/export/command';

export const device = withDefault(
  choice('--device <device>', 'where to compute', ['auto', 'cpu', 'wasm', 'webgpu', 'cuda']),
  'auto',
);
