import { type Normal, product, type Specs, type Start, type Weights } from './network.js';

/**
 * How weights are initialized. `normal`: N(0, 0.02), scales N(1, 0.02) (the DCGAN paper); `xavier`:
 * variance 2 / (fan in + fan out) (Glorot & Bengio 2010); `kaiming`: variance 2 / fan in (He et
 * al. 2015).
 */
export type Initialization = 'normal' | 'xavier' | 'kaiming';

const STD: Readonly<Record<Initialization, (fanIn: number, fanOut: number) => number>> = {
  normal: () => 0.02,
  xavier: (fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)),
  kaiming: (fanIn) => Math.sqrt(2 / fanIn),
};

/** The initial tensors of a network, in the order of its specs. */
export function initialize(
  specs: Specs,
  scheme: Initialization,
  normal: Normal,
): Record<string, Weights> {
  const made: Record<string, Weights> = {};
  const all = new Map<object, Readonly<Record<string, Weights>>>();
  const drawn = ({ init, as }: Drawn): Float32Array => {
    const values = all.get(init) ?? init(normal);
    all.set(init, values);
    return (values[as] as Weights).data;
  };
  for (const [name, { shape, start }] of Object.entries(specs)) {
    const count = product(shape);
    const data =
      start.kind === 'same'
        ? (made[start.as] as Weights).data.slice()
        : start.kind === 'drawn'
          ? drawn(start)
          : startingValues(start, count, scheme, normal);
    made[name] = { shape, data };
  }
  return made;
}

type Drawn = Extract<Start, { kind: 'drawn' }>;

function startingValues(
  start: Exclude<Start, { kind: 'same' | 'drawn' }>,
  count: number,
  scheme: Initialization,
  normal: Normal,
): Float32Array {
  switch (start.kind) {
    case 'weight': {
      const std = STD[scheme](start.fanIn, start.fanOut);
      return normal(count).map((x) => x * std);
    }
    case 'normal':
      return normal(count).map((x) => x * start.std);
    case 'scale':
      return scheme === 'normal'
        ? normal(count).map((x) => 1 + 0.02 * x)
        : new Float32Array(count).fill(1);
    case 'direction': {
      const x = normal(count);
      const length = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
      return x.map((v) => v / length);
    }
    case 'ones':
      return new Float32Array(count).fill(1);
    case 'zeros':
      return new Float32Array(count);
  }
}
