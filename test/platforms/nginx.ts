/**
 * A stock nginx: its own file of media types, on Debian its own user, and nothing set but where files
 * are. Without one the tests
 * that need it are skipped, and named in the last lines of the run; if GPN_NGINX is `required`, as in
 * `.ci/run`, they fail.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const PROGRAM = '/usr/sbin/nginx';
const TYPES = '/etc/nginx/mime.types';

/** Why a test that needs nginx is skipped, or fails. */
export const NO_NGINX = 'there is no nginx here, and `npm run browser -- nginx` gets one';

/** Whether there is one. @throws Error if it must be there */
export function hasNginx(): boolean {
  const found = [PROGRAM, TYPES].every((path) => existsSync(path));
  if (!found && process.env.GPN_NGINX === 'required') throw new Error(NO_NGINX);
  return found;
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Serves a folder on a free port of this machine; `work` is a folder for nginx's own files. */
export async function startNginx(folder: string, work: string) {
  mkdirSync(work, { recursive: true });
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${work}/${name};`,
  );
  const configuration = join(work, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off; ${process.getuid?.() === 0 ? 'user www-data;' : ''} pid ${work}/pid; error_log ${work}/errors;
    events {}
    http {
      include ${TYPES}; default_type application/octet-stream; access_log off; ${temporary.join(' ')}
      server { listen 127.0.0.1:${port}; root ${folder}; }
    }`,
  );
  const nginx = spawn(PROGRAM, ['-c', configuration, '-e', `${work}/errors`], { stdio: 'inherit' });
  const url = `http://127.0.0.1:${port}/`;
  while (!(await fetch(url).catch(() => undefined))) {
    if (nginx.exitCode !== null) throw new Error(`nginx ended with ${nginx.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port, close: () => nginx.kill('SIGTERM') };
}
