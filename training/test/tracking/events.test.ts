import { expect, test } from 'vitest';
import { crc32c } from '../../src/tracking/crc32c.js';
import { encodeEvent, frame } from '../../src/tracking/events.js';
import { histogramOf } from '../../src/tracking/histogram.js';

/** What TensorBoard's own writer makes of the events below: `python events.py golden`. */
const GOLDEN = [
  '1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c100000000000',
  '000095fbfe1809000000000000f83f10ac023a020801713b788ae9000000000000003533f48909000000000000f8',
  '3f1080808080202ad7010a150a0e6c6f73732f67656e657261746f72150000803e0a570a0773616d706c6573224c',
  '080110021801224489504e470d0a1a0a0000000d4948445200000002000000010800000000d14920560000000b49',
  '444154789c6360f80f000102010042bebc680000000049454e44ae4260820a650a1067656e657261746f722f6b65',
  '726e656c2a5109000000000000f0bf11000000000000004019000000000000084021000000000000f83f29000000',
  '00000015403210000000000000e03f00000000000000403a10000000000000f03f0000000000000040ef4dee18',
].join('');

const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d4948445200000002000000010800000000d14920560000000b4944415478' +
    '9c6360f80f000102010042bebc680000000049454e44ae426082',
  'hex',
);

test('events are, byte for byte, what TensorBoard writes', () => {
  const histogram = {
    ...{ min: -1, max: 2, count: 3, sum: 1.5, sumOfSquares: 5.25 },
    ...{ limits: [0.5, 2], counts: [1, 2] },
  };
  const events = [
    encodeEvent({ wallTime: 1.5, step: 0, what: { version: 'brain.Event:2' } }),
    encodeEvent({ wallTime: 1.5, step: 300, what: { restart: true } }),
    encodeEvent({
      wallTime: 1.5,
      step: 2 ** 33,
      what: {
        summary: new Map([
          ['loss/generator', { scalar: 0.25 }],
          ['samples', { png: PNG }],
          ['generator/kernel', { histogram }],
        ]),
      },
    }),
  ];
  expect(Buffer.concat(events.map(frame)).toString('hex')).toBe(GOLDEN);
});

// RFC 3720, appendix B.4, and the check value of CRC catalogues.
test.each([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(255), 0x62a8ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
])('crc32c of %s', (_, bytes, sum) => {
  expect(crc32c(bytes)).toBe(sum);
});

test('a histogram counts every finite value once, in ranges from the least to the greatest', () => {
  const values = Float32Array.from({ length: 1001 }, (_, i) => i / 100 - 4);
  const found = histogramOf([...values, Number.NaN, Number.POSITIVE_INFINITY]);
  expect(found).toMatchObject({ min: -4, max: 6, count: 1001 });
  expect(found?.sum).toBeCloseTo(1001, 2);
  expect(found?.sumOfSquares).toBeCloseTo(9359.35, 2); // 1001 × (1 + the variance, 8.35)
  expect(found?.limits.at(-1)).toBe(6);
  expect(found?.counts.reduce((a, b) => a + b)).toBe(1001);
  found?.counts.forEach((n, i) => {
    const [low, high] = [found.limits[i - 1] ?? -4, found.limits[i] as number];
    const inside = [...values].filter((x) => x >= low && (x < high || (i === 29 && x === high)));
    expect(Math.abs(n - inside.length)).toBeLessThanOrEqual(1); // edges are rounded
  });
});

test('a tensor of one value is one range; one of none has no histogram', () => {
  expect(histogramOf(new Float32Array(5))).toEqual({
    ...{ min: 0, max: 0, count: 5, sum: 0, sumOfSquares: 0 },
    ...{ limits: [0], counts: [5] },
  });
  expect(histogramOf([])).toBeUndefined();
  expect(histogramOf([Number.NaN])).toBeUndefined();
});
