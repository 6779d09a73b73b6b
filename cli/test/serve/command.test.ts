/** The built command: it listens, loads its models again, and ends, losing nothing. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { conditionalFile, generatorFile } from '../../../runtime/test/tiny.js';
import { bin, gpn, scratchFolder, until } from '../../../test/cli.js';

const folder = scratchFolder();
const started: ChildProcessWithoutNullStreams[] = [];
writeFileSync(join(folder, 'tiny.onnx'), generatorFile());
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function serve(...args: string[]) {
  const child = spawn(process.execPath, [bin, 'serve', ...args, '--port', '0', '--json'], {
    cwd: folder,
  });
  started.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    said.out += text;
  });
  child.stderr.on('data', (text) => {
    said.err += text;
  });
  await until(child, () => said.out.includes('listening'));
  return { child, said, url: JSON.parse(said.out.split('\n')[0] as string).url as string };
}

const bytes = async (url: string) => {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
};

test('serves the bytes of `gpn-cli sample`, answers what it took before it ends, and ends with 0', async () => {
  const { child, said, url } = await serve('dcgan-mnist', 'small=tiny.onnx');
  const drawn = gpn(folder, 'sample', '--model', 'tiny.onnx', '--count', '4', '--out', 'g.png');
  expect(drawn.code).toBe(0);
  expect(await bytes(`${url}/generators/small?count=4`)).toEqual(
    readFileSync(join(folder, 'g.png')),
  );

  const many = [1, 2, 3, 4].map((seed) =>
    bytes(`${url}/generators/dcgan-mnist?seed=${seed}&count=64`),
  );
  await expect
    .poll(async () => /gpn_run_items_count [1-9]/.test((await bytes(`${url}/metrics`)).toString()))
    .toBe(true);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  for (const picture of await Promise.all(many))
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
  expect((await ended)[0]).toBe(0);
  expect(said.out).toContain('"event":"stopping"');
  expect(said.err).toBe('');
});

test.skipIf(process.platform === 'win32')(
  'loads its files again at SIGHUP without refusing a request, and keeps those it has if it cannot',
  async () => {
    copyFileSync(join(folder, 'tiny.onnx'), join(folder, 'changing.onnx'));
    const { child, said, url } = await serve('changing.onnx');
    const picture = `${url}/generators/changing?count=1`;
    const before = await bytes(picture);
    let asking = true;
    const asked = (async () => {
      let count = 0;
      for (; asking; count++) await bytes(`${picture}&seed=${count}`);
      return count;
    })();
    writeFileSync(join(folder, 'changing.onnx'), conditionalFile());
    child.kill('SIGHUP');
    await until(child, () => said.out.includes('"event":"reloaded"'));
    expect(await bytes(picture)).not.toEqual(before);
    const after = await bytes(picture);
    writeFileSync(join(folder, 'changing.onnx'), 'no model');
    child.kill('SIGHUP');
    await until(child, () => said.err.includes('The models were not loaded again'));
    expect(await bytes(picture)).toEqual(after);
    asking = false;
    expect(await asked).toBeGreaterThan(0);
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(0);
  },
);

test('mistakes are told before anything is served', async () => {
  const { url } = await serve('tiny.onnx');
  const { port } = new URL(url);
  const refused = (...args: string[]) => gpn(folder, 'serve', ...args);
  expect(refused('tiny.onnx', '--port', port)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/Cannot listen on 127.0.0.1, port \d+: .*EADDRINUSE/),
  });
  expect(refused('none.onnx')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no file none.onnx'),
  });
  expect(refused('tiny.onnx', './tiny.onnx')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Two models are called tiny: give one another name'),
  });
  expect(refused('bad name.onnx')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('cannot be the name of a model in a URL: write NAME='),
  });
});
