/** Gets a package of Debian, whose files other scripts make folders of pictures from. It needs `tar` with xz. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Downloads a package, checks it by its hash and unpacks it.
 *
 * @param url of the .deb, by https; where that is not to be had, http does, because the hash says what came
 * @param into an empty folder
 * @returns the folder usr/share of the package
 */
export async function debianPackage(url, sha256, into) {
  const answer = await fetch(url).catch(() => fetch(url.replace('https', 'http')));
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}.`);
  const deb = Buffer.from(await answer.arrayBuffer());
  const found = createHash('sha256').update(deb).digest('hex');
  if (found !== sha256) throw new Error(`${url} is not the file it was: its SHA-256 is ${found}.`);
  // A .deb is an archive of ar, whose member data.tar.xz, or .gz, has the files.
  for (let at = 8; at < deb.length; ) {
    const name = deb.toString('latin1', at, at + 16).trim();
    const size = Number(deb.toString('latin1', at + 48, at + 58));
    if (name.startsWith('data.tar')) {
      const path = join(into, name.replace(/\/$/, ''));
      writeFileSync(path, deb.subarray(at + 60, at + 60 + size));
      execFileSync('tar', ['-xf', path], { cwd: into });
      return join(into, 'usr/share');
    }
    at += 60 + size + (size % 2);
  }
  throw new Error(`${url} has no files.`);
}
