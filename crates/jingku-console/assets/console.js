// What a page does beyond HTML: local times, buttons that copy, a box that selects all, and the limit of a file.
"use strict";

const words = document.documentElement.lang.startsWith("zh") ? ["复制", "已复制"] : ["Copy", "Copied"];

function prepare(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    time.title = time.dateTime;
    time.textContent = date.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  }
  for (const box of root.querySelectorAll(".copy")) {
    if (box.querySelector("button")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words[0];
    box.append(button);
  }
  for (const all of root.querySelectorAll("[data-all]")) all.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy > button");
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    // Without TLS, browsers have no clipboard: the text is selected instead.
    getSelection().selectAllChildren(code);
    return;
  }
  button.textContent = words[1];
  setTimeout(() => { button.textContent = words[0]; }, 1500);
});

document.addEventListener("change", (event) => {
  const name = event.target.dataset.all;
  if (!name) return;
  for (const box of event.target.form.querySelectorAll(`input[name="${name}"]`)) box.checked = event.target.checked;
});

document.addEventListener("change", (event) => {
  const { max, tooLarge } = event.target.dataset;
  if (!max) return;
  const isTooLarge = event.target.files[0]?.size > Number(max);
  event.target.setCustomValidity(isTooLarge ? tooLarge : "");
  event.target.reportValidity();
});

document.addEventListener("htmx:afterSettle", (event) => prepare(event.target.parentElement ?? document));
prepare(document);
