/** The memory of ONNX Runtime in a worker, which a model with limits has to itself. */

/** Bytes of WebAssembly's unit of memory. */
const PAGE = 65_536;

/** Limits the heap. It grows by this function alone; when that fails, so does the allocation. */
export function limitHeap(bytes: number): void {
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * PAGE > bytes) throw new RangeError('The limit of memory');
    return grow.call(this, pages);
  };
}
