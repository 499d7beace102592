// The page that imports a file: chooses it, starts the upload, and shows its progress. import-worker.js sends it.
"use strict";

{
  const form = document.getElementById("import");
  const panel = document.getElementById("import-progress");
  const texts = document.getElementById("import-texts").dataset;
  const input = form.elements.file;
  /** What an interrupted upload needs to be resumed, beside the file itself. */
  const KEY = `jingku-import-${form.dataset.account}`;
  let worker = null;
  let upload = null;
  let started = 0;
  let startBytes = null;

  const find = (name) => panel.querySelector(`[data-${name}]`);
  const fill = (text, values) => text.replace(/%(\w+)%/g, (_, name) => values[name]);

  function size(bytes) {
    const units = ["B", "KB", "MB", "GB", "TB"];
    let unit = 0;
    for (; bytes >= 1024 && unit < units.length - 1; unit += 1) bytes /= 1024;
    return `${bytes < 10 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
  }

  function remembered() {
    try {
      return JSON.parse(localStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  function remember(value) {
    try {
      if (value) localStorage.setItem(KEY, JSON.stringify(value));
      else localStorage.removeItem(KEY);
    } catch {
      // Without storage, an upload is resumed by its name and file.
    }
  }

  /** A name that an image may have, from the name of the file. */
  function imageName(fileName) {
    const stem = fileName.replace(/(\.(gz|zst|img|raw|qcow2|tar|iso))+$/i, "");
    return stem.replace(/[^\u4e00-\u9fa5A-Za-z0-9_,.:-]+/g, "-").slice(0, Number(form.elements.name.maxLength));
  }

  function choose(file) {
    document.getElementById("import-file").textContent = `${file.name} · ${size(file.size)}`;
    if (!form.elements.name.value) form.elements.name.value = imageName(file.name);
  }

  async function post(action, fields) {
    const body = new URLSearchParams({ form_token: form.elements.form_token.value, ...fields });
    const answer = await fetch(`/console/import/${action}`, { method: "POST", body });
    if (!answer.headers.get("content-type")?.startsWith("application/json")) throw new Error(texts.signIn);
    const reply = await answer.json();
    if (reply.Error) throw Object.assign(new Error(reply.Error), { detail: reply.Detail });
    return reply;
  }

  function show(text, detail = "", isError = false) {
    find("text").textContent = text;
    find("detail").textContent = detail;
    find("detail").hidden = !detail;
    panel.classList.toggle("failed", isError);
  }

  function progress(bytes, text) {
    // Numbers that change all the time are not read aloud.
    find("text").ariaLive = "off";
    const total = upload.size;
    const bar = find("bar");
    bar.max = total;
    bar.value = bytes;
    show(fill(text, { percent: Math.floor((100 * bytes) / total), done: size(bytes), total: size(total), ...speed(bytes) }));
  }

  function speed(bytes) {
    startBytes ??= bytes;
    const secs = (performance.now() - started) / 1000;
    return { speed: size((bytes - startBytes) / Math.max(secs, 0.1)) };
  }

  function start(file) {
    [started, startBytes] = [performance.now(), null];
    worker = new Worker(form.dataset.worker);
    worker.onmessage = ({ data }) => receive(data);
    worker.onerror = (event) => stop(texts.fault, event.message);
    worker.postMessage({ file, path: upload.path });
  }

  async function receive(message) {
    find("text").ariaLive = "polite";
    if (message.kind === "sent") progress(message.bytes, texts.sending);
    else if (message.kind === "checking") show(fill(texts.checking, { percent: Math.floor((100 * message.bytes) / message.total) }));
    else if (message.kind === "waiting") show(texts.waiting);
    else if (message.kind === "failed") stop(texts[message.reason] ?? texts.fault, message.detail, message.reason === "gone");
    else if (message.kind === "expired") renew();
    else if (message.kind === "done") {
      remember(null);
      worker.terminate();
      worker = null;
      location.assign(upload.page);
    }
  }

  async function renew() {
    try {
      const { id, path } = await post("start", upload.fields);
      if (id !== upload.id) throw new Error(texts.gone);
      worker?.postMessage({ path });
    } catch (error) {
      stop(error.message, error.detail);
    }
  }

  /** Ends the worker. The upload stays on the server and can be resumed, unless it is gone. */
  function stop(text, detail = "", isGone = false) {
    worker?.terminate();
    worker = null;
    if (isGone) remember(null);
    show(text, detail, true);
    find("cancel").hidden = isGone || !upload;
    form.hidden = false;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = input.files[0];
    if (!file || worker) return;
    panel.hidden = false;
    if (file.size === 0) return stop(texts.empty);
    const fields = { name: form.elements.name.value, description: form.elements.description.value, size: file.size };
    show(texts.starting);
    try {
      upload = null;
      const reply = await post("start", fields);
      upload = { ...reply, fields, size: file.size };
      remember({ id: reply.id, name: fields.name, description: fields.description, size: file.size, file: file.name });
      form.hidden = true;
      find("cancel").hidden = false;
      start(file);
      panel.focus();
    } catch (error) {
      stop(error.message, error.detail);
    }
  });

  find("cancel").addEventListener("click", async () => {
    worker?.terminate();
    worker = null;
    try {
      if (upload) await post("cancel", { id: upload.id });
      remember(null);
      upload = null;
      panel.hidden = true;
      form.hidden = false;
    } catch (error) {
      stop(error.message, error.detail);
    }
  });

  input.addEventListener("change", () => input.files[0] && choose(input.files[0]));
  const drop = document.getElementById("import-drop");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length !== 1) return;
    input.files = event.dataTransfer.files;
    choose(input.files[0]);
  });
  addEventListener("beforeunload", (event) => worker && event.preventDefault());

  form.hidden = false;
  const before = remembered();
  if (before) {
    form.elements.name.value = before.name;
    form.elements.description.value = before.description;
    upload = { id: before.id };
    panel.hidden = false;
    show(fill(texts.resume, { file: before.file, size: size(before.size) }));
  }
}
