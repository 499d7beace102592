// Uses the console while the server stops and starts again. Prints `stop` and `start`, and waits for an answer to each.
// Arguments: the base URL and a folder for files.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { check, launch, signIn } from "./browser.mjs";

const [base, folder] = process.argv.slice(2);
const input = createInterface({ input: process.stdin });
const answers = input[Symbol.asyncIterator]();

async function ask(word) {
  console.log(word);
  await answers.next();
}

/** Starts to import a file of several pieces. Returns when the server has one, with a function that lets the others go. */
async function startImport(page) {
  let release, hasFirst;
  const held = new Promise((resolve) => { release = resolve; });
  const first = new Promise((resolve) => { hasFirst = resolve; });
  let pieces = 0;
  await page.route("**/uploads/**", async (route) => {
    if (route.request().method() === "PATCH") pieces += 1;
    if (pieces > 1) {
      hasFirst();
      await held;
    }
    await route.continue();
  });
  const file = join(folder, "disk.raw");
  writeFileSync(file, randomBytes(40_000_000));
  await page.goto(`${base}/console/import`);
  await page.setInputFiles("#import [name=file]", file);
  await page.fill("#import [name=name]", "imported");
  await page.click("#import button.primary");
  await first;
  return release;
}

const browser = await launch();
const main = await signIn(browser, base, { account: "lab" });
const plain = await signIn(browser, base, { account: "lab", script: false });
const importing = await main.page.context().newPage();
const release = await startImport(importing);
// Forms that were opened before.
await plain.page.goto(`${base}/console/images`);
await ask("stop");
release();
await importing.waitForFunction((text) => document.querySelector("[data-text]").textContent === text, "No answer from the server. Trying again…");
await main.page.fill("#name", "imp");
await main.page.waitForTimeout(1000);
check(await main.page.isVisible(".filters"), "the page stays when the server does not answer");
await ask("start");
await importing.waitForURL("**?done=imported", { timeout: 60_000 });
await main.page.fill("#name", "imported");
await main.page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
await main.page.waitForSelector(".mark.available", { timeout: 60_000 });
// The session and the token of its forms are still valid.
await plain.page.fill("#name", "imported");
await plain.page.click(".filters > button");
await plain.page.check("[name=id]");
await plain.page.click("[formaction$='/tag']");
await plain.page.fill("[name=add]", "kept");
await ask("stop");
await ask("start");
await plain.page.click("button.primary");
await plain.page.waitForURL("**?tagged=1");
await main.page.goto(`${base}/console/images?tag=kept`);
check((await main.page.locator("tbody tr").count()) === 1, "the tag is set");
await browser.close();
input.close();
