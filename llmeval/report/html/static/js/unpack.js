// Data blocks of a page: gzip in base64, unpacked on demand.

/**
 * The text of a data block (gzip in base64).
 *
 * @param {string} id
 * @param {boolean} once Remove the block from the document: it is not read again.
 */
export async function unpack(id, once = false) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no data block ${id}.`);
  const blob = new Blob([bytes(node.textContent ?? "")]);
  if (once) node.remove();
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytes(text) {
  // Newer browsers decode without the detour by a string; TypeScript does not know it yet.
  const native = /** @type {any} */ (Uint8Array).fromBase64;
  if (native) return native.call(Uint8Array, text);
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
