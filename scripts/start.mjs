/**
 * `npm start`, after the build: trains a small GAN on all of MNIST, and draws from the ONNX file
 * that comes out. Started again, it goes on from the last checkpoint.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../cli/bin/gpn-cli.js', import.meta.url));
const run = 'runs/start';

/** Three passes and a bit over the 60,000 images: minutes on two cores, and digits can be read. */
const steps = 3000;

function gpn(...args) {
  console.log(`\n$ npx gpn-cli ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [cli, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// Ctrl-C reaches the command too, which ends its training in good order; wait for that.
process.on('SIGINT', () => {});

gpn('train', 'dcgan-mnist', '--steps', String(steps), '--out', run, '--resume');
if (!existsSync(`${run}/generator.onnx`)) process.exit(0); // stopped before it was done
gpn('sample', '--model', `${run}/generator.onnx`, '--out', `${run}/digits.png`);

console.log(`
The networks, as ONNX files: ${run}/generator.onnx and ${run}/discriminator.onnx
Digits drawn from the file:  ${run}/digits.png
How it learnt to draw them:  ${run}/samples/`);
