/** `gpn-cli` as the child of a sweep: it ends when the sweep does, however that ends. */
import { main } from '../../main.js';

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref(); // waiting for that alone keeps no process alive
process.exitCode = await main(process.argv.slice(2));
