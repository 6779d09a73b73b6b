/** Makes a folder that is there as a whole or not at all, for the scripts that get pictures. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * Makes the folder that the command line names; a mistake there ends the program with exit code 2.
 *
 * @param script as `npm run` has it, for the usage
 * @param what the folder is of, for an error
 * @param make fills the folder `into`, with `scratch` for what is not kept; gives the sentence to print
 * @param known flags that may follow, of which `make` gets those that do
 */
export async function newFolder(script, what, make, known = []) {
  const [folder, ...more] = process.argv.slice(2);
  if (!folder || folder.startsWith('-') || more.some((flag) => !known.includes(flag))) {
    const flags = known.map((flag) => ` [${flag}]`).join('');
    console.error(`Usage: npm run ${script} -- FOLDER${flags}`);
    process.exit(2);
  }
  if (existsSync(folder)) {
    console.error(`${folder} exists already: give the name of a new folder.`);
    process.exit(2);
  }
  const parent = dirname(resolve(folder));
  mkdirSync(parent, { recursive: true });
  const scratch = mkdtempSync(join(parent, `.${basename(folder)}-`));
  try {
    const into = join(scratch, what);
    const sentence = await make(into, scratch, folder, new Set(more));
    renameSync(into, folder);
    console.log(sentence);
  } catch (error) {
    console.error(`No ${what} could be had: ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
