/** The panel that offers what was learnt: files, and the line that shows the generator on a page. */
import { h } from '@gpn/runtime/elements/parts';
import type { Training } from '../training.js';

/** The files of a training that a visitor may keep. */
export class Keepsake {
  readonly panel = globalThis.document && h('div', { class: 'kept', part: 'kept' });
  #urls: string[] = [];

  constructor() {
    if (this.panel) this.panel.hidden = true;
  }

  async show(training: Training): Promise<void> {
    const name = training.info.networks.generator.name;
    const files: readonly [string, Uint8Array][] = [
      [`${name}.onnx`, await training.network('generator')],
      [`${name}-discriminator.onnx`, await training.network('discriminator')],
      [`${name}.safetensors`, await training.checkpoint()],
    ];
    this.hide();
    const links = files.map(([file, bytes]) => {
      const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], {
        type: 'application/octet-stream',
      });
      const href = URL.createObjectURL(blob);
      this.#urls.push(href);
      return h('a', { href, download: file }, `${file}, ${size(bytes.length)}`);
    });
    this.panel.replaceChildren(
      h('p', {}, ...links),
      h('p', {}, 'Put the first file beside a page, and show it there with'),
      h('code', { part: 'code' }, `<gpn-generator src="${name}.onnx"></gpn-generator>`),
      h(
        'p',
        {},
        'The last file is the checkpoint: it goes on here, or in the folder of a run under Node.',
      ),
    );
    this.panel.hidden = false;
  }

  hide(): void {
    this.panel.hidden = true;
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }
}

const size = (bytes: number): string =>
  bytes < 1e6 ? `${Math.round(bytes / 1e3)}\u00a0kB` : `${(bytes / 1e6).toFixed(1)}\u00a0MB`;
