/**
 * The inverse of the normal distribution's cumulative function, computed with exactly defined
 * operations only (+ - * / sqrt on doubles, in the order written), so that it gives the same bits
 * everywhere. Method: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal
 * distribution", Applied Statistics 37 (1988), routine PPND16.
 */

type Polynomial = readonly number[];

// Coefficients from the highest power to the lowest, the order of Horner's rule.
const CENTRE_TOP: Polynomial = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
  1971.5909503065513, 133.14166789178438, 3.3871328727963665,
];
const CENTRE_BOTTOM: Polynomial = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
  687.1870074920579, 42.31333070160091, 1,
];
const TAIL_TOP: Polynomial = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
  3.647848324763204, 5.769497221460691, 4.630337846156546, 1.4234371107496837,
];
const TAIL_BOTTOM: Polynomial = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
  0.6897673349851, 1.6763848301838038, 2.053191626637759, 1,
];

// 1/(2k + 1) for k = 11 … 0: log(m) = 2 s (1 + s²/3 + s⁴/5 + …) with s = (m - 1)/(m + 1). For
// m in [√½, √2], s² < 0.0295: the first term left out is below 2^-64.
const ARTANH: Polynomial = Array.from({ length: 12 }, (_, i) => 1 / (23 - 2 * i));

// 2^(zeros - 31), by exact doublings: the standard leaves the last bits of `**` to the engine.
const SHIFTS: number[] = [1 / 2147483648];
for (let zeros = 1; zeros <= 32; zeros++) SHIFTS.push((SHIFTS[zeros - 1] as number) * 2);

const horner = (coefficients: Polynomial, x: number): number => {
  let sum = 0;
  for (let i = 0; i < coefficients.length; i++) sum = sum * x + (coefficients[i] as number);
  return sum;
};

/**
 * -log((word + 1/2) 2^-32) for a word in [0, 2^31). In this range the exponent is the number of
 * leading zeros, so the bits of a double need not be read.
 */
function minusLog(word: number): number {
  const zeros = Math.clz32(word);
  let exponent = zeros + 1; // p = mantissa · 2^-exponent
  let mantissa = (word + 0.5) * (SHIFTS[zeros] as number); // exact, in [1, 2)
  if (mantissa > Math.SQRT2) {
    mantissa *= 0.5;
    exponent -= 1;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  return exponent * Math.LN2 - 2 * s * horner(ARTANH, s * s);
}

/**
 * The x below which a standard normal value falls with probability p = (word + 1/2) 2^-32.
 *
 * @param word a whole number in [0, 2^32)
 * @returns a double, accurate to a few units in the last place, in [-6.338, 6.338]
 */
export function normalQuantile(word: number): number {
  const q = (word + 0.5) / 4294967296 - 0.5; // exact, and odd: the complement of word gives -q
  if (q >= -0.425 && q <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * horner(CENTRE_TOP, r)) / horner(CENTRE_BOTTOM, r);
  }
  // sqrt(-log p) stays below 4.8 here, so AS 241's third branch (beyond 5) is never needed.
  const tail = q < 0 ? word : 4294967295 - word;
  const r = Math.sqrt(minusLog(tail)) - 1.6;
  const x = horner(TAIL_TOP, r) / horner(TAIL_BOTTOM, r);
  return q < 0 ? -x : x;
}
