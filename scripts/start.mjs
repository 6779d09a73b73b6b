/**
 * `npm start`, after the build: trains a small GAN on all of MNIST, and draws with the exported ONNX
 * file. If it is started again, it continues from the last checkpoint.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
const run = 'runs/start';

/** A little more than three epochs: minutes on two cores, and the digits are legible. */
const steps = 3000;

function gpn(...args) {
  console.log(`\n$ npx gpn-cli ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [cli, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// Ctrl-C reaches the command too, which saves a checkpoint; wait for that.
process.on('SIGINT', () => {});

gpn('train', 'dcgan-mnist', '--steps', String(steps), '--out', run, '--resume');
if (!existsSync(`${run}/generator.onnx`)) process.exit(0); // it was stopped before the end
gpn('sample', '--model', `${run}/generator.onnx`, '--out', `${run}/digits.png`);

console.log(`
The networks, as ONNX files: ${run}/generator.onnx and ${run}/discriminator.onnx
Digits drawn with the file:  ${run}/digits.png
How it learnt to draw them:  ${run}/samples/`);
