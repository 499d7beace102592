// Hashes a file and uploads it in pieces, in a worker so that the page stays responsive. The protocol is in
// docs/wire/links.md. The page starts it with a file and the path of an upload link; it answers with messages.
"use strict";
importScripts(`/console/assets/blake3.js${location.search}`);

const BLOCK_BYTES = 64 * 1024;
const PIECE_BYTES = 16 * 1024 * 1024;
/** How long an upload is retried without progress, in milliseconds. */
const STALL_TIMEOUT_MS = 5 * 60 * 1000;
const PAUSE_MAX_MS = 10_000;

/** A failure that another attempt does not fix. `reason` names a text of the page. */
class Failure extends Error {
  constructor(reason, detail = "") {
    super(reason);
    Object.assign(this, { reason, detail });
  }
}

/** The sparse hash of docs/wire/links.md: zeros cost next to nothing. */
class SparseHash {
  constructor(state = new Uint8Array(32), at = 0, rest = new Uint8Array(0)) {
    Object.assign(this, { state, at, rest });
  }

  clone() {
    return new SparseHash(this.state, this.at, this.rest);
  }

  update(bytes) {
    if (this.rest.length > 0) {
      const missing = BLOCK_BYTES - this.rest.length;
      const block = joined(this.rest, bytes.subarray(0, missing));
      bytes = bytes.subarray(missing);
      this.rest = new Uint8Array(0);
      if (block.length < BLOCK_BYTES) {
        this.rest = block;
        return;
      }
      this.take(block);
    }
    let from = 0;
    for (; from + BLOCK_BYTES <= bytes.length; from += BLOCK_BYTES) {
      this.take(bytes.subarray(from, from + BLOCK_BYTES));
    }
    this.rest = bytes.slice(from);
  }

  take(block) {
    this.state = this.after(block);
    this.at += block.length;
  }

  after(block) {
    if (isZero(block)) return this.state;
    return noble.blake3(joined(this.state, littleEndian(this.at), noble.blake3(block)));
  }

  value() {
    const hash = noble.blake3(joined(this.after(this.rest), littleEndian(this.at + this.rest.length)));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function littleEndian(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number), true);
  return bytes;
}

function isZero(bytes) {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes.length >> 2 : 0;
  const words = new Uint32Array(bytes.buffer, aligned ? bytes.byteOffset : 0, aligned);
  for (let at = 0; at < words.length; at += 1) if (words[at] !== 0) return false;
  for (let at = aligned * 4; at < bytes.length; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Upload {
  constructor(file, path) {
    Object.assign(this, { file, path, hash: new SparseHash(), offset: 0, progressAt: Date.now(), tries: 0 });
  }

  async run() {
    for (;;) {
      try {
        await this.meet();
        while (this.offset < this.file.size) await this.sendPiece();
        return await this.finish();
      } catch (error) {
        if (error instanceof Failure) throw error;
        await this.waitAfter(error);
      }
    }
  }

  /** Waits before another attempt; gives up if there is no progress for a long time. */
  async waitAfter(error) {
    if (Date.now() - this.progressAt > STALL_TIMEOUT_MS) throw new Failure("network", String(error.message ?? error));
    postMessage({ kind: "waiting" });
    await pause(Math.min(PAUSE_MAX_MS, 500 * 2 ** this.tries));
    this.tries += 1;
  }

  /** Learns what the server has, and hashes as much of the file. Another file with this name and size is refused. */
  async meet() {
    const answer = await this.request("HEAD", {});
    const [offset, theirs] = [Number(answer.header("Upload-Offset")), answer.header("Upload-Blake3")];
    if (!theirs) throw new Error("the server is reading the file");
    if (offset < this.hash.at + this.hash.rest.length) this.hash = new SparseHash();
    for (let at = this.hash.at + this.hash.rest.length; at < offset; at = this.hash.at + this.hash.rest.length) {
      this.hash.update(await this.read(at, Math.min(offset, at + PIECE_BYTES)));
      postMessage({ kind: "checking", bytes: at, total: offset });
    }
    if (this.hash.value() !== theirs) throw new Failure("differs");
    this.offset = offset;
    postMessage({ kind: "sent", bytes: offset });
  }

  async read(from, to) {
    try {
      return new Uint8Array(await this.file.slice(from, to).arrayBuffer());
    } catch (error) {
      throw new Failure("unreadable", error.message);
    }
  }

  /** Sends the next bytes, and hashes them meanwhile. Zeros are only counted. */
  async sendPiece() {
    const { file, offset } = this;
    const piece = await this.read(offset, Math.min(file.size, offset + PIECE_BYTES));
    let end = offset + piece.length;
    const before = this.hash.clone();
    if (isZero(piece)) {
      this.hash.update(piece);
      for (;;) {
        const more = await this.read(end, Math.min(file.size, end + PIECE_BYTES));
        if (more.length === 0 || !isZero(more)) break;
        this.hash.update(more);
        end += more.length;
      }
      await this.sent(this.request("PATCH", { "Upload-Offset": offset, "Upload-Zeros": end - offset }), before, end);
    } else {
      const sending = this.request("PATCH", { "Upload-Offset": offset }, piece);
      // A failed request is handled below, after hashing.
      sending.catch(() => {});
      this.hash.update(piece);
      await this.sent(sending, before, end);
    }
  }

  /** Waits for the answer to bytes up to `end`. After a failure, the hash is again that of the bytes before. */
  async sent(sending, before, end) {
    try {
      const answer = await sending;
      if (Number(answer.header("Upload-Offset")) !== end) throw new Error("the server received another number of bytes");
    } catch (error) {
      this.hash = before;
      throw error;
    }
    this.progressed(end);
  }

  progressed(offset) {
    Object.assign(this, { offset, progressAt: Date.now(), tries: 0 });
    postMessage({ kind: "sent", bytes: offset });
  }

  async finish() {
    await this.request("POST", { "Upload-Length": this.file.size, "Upload-Blake3": this.hash.value() });
    postMessage({ kind: "done" });
  }

  /** Sends a request to the link. Rejects with a `Failure` if another attempt is of no use. */
  async request(method, headers, body) {
    const answer = await send(method, this.path, headers, body, (loaded) => {
      this.progressAt = Date.now();
      postMessage({ kind: "sent", bytes: this.offset + loaded });
    });
    if (answer.status === 200 || answer.status === 204) return answer;
    const detail = answer.text;
    if (answer.status === 403) this.path = await newPath();
    else if (answer.status === 404) throw new Failure("gone", detail);
    else if (answer.status === 422) throw new Failure("differs", detail);
    else if (answer.status === 507) throw new Failure("full", detail);
    else if (![408, 409, 429].includes(answer.status) && answer.status < 500) throw new Failure("refused", detail);
    throw new Error(detail || `HTTP ${answer.status}`);
  }
}

/** `fetch` has no progress of what it sends. */
function send(method, path, headers, body, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.setRequestHeader("Upload-Hash", "sparse");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, String(value));
    if (body) request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => resolve({
      status: request.status,
      text: messageOf(request.responseText),
      header: (name) => request.getResponseHeader(name),
    });
    request.onerror = () => reject(new Error("no answer"));
    request.send(body ?? null);
  });
}

function messageOf(text) {
  try {
    return JSON.parse(text).Message ?? "";
  } catch {
    return "";
  }
}

/** Asks the page for a new link: links expire after an hour. */
let givePath;
function newPath() {
  postMessage({ kind: "expired" });
  return new Promise((resolve) => { givePath = resolve; });
}

onmessage = async ({ data }) => {
  if (!data.file) {
    givePath?.(data.path);
    return;
  }
  try {
    await new Upload(data.file, data.path).run();
  } catch (error) {
    const { reason = "fault", detail = String(error) } = error;
    postMessage({ kind: "failed", reason, detail });
  }
};
