// Drives the console in Chromium: every page, in both languages, light and dark, wide and narrow, with and without
// JavaScript. Arguments: see visit.mjs.
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, launch } from "./browser.mjs";
import { base, folder, link, runs, Visit } from "./visit.mjs";

/** The smallest GIF: one pixel. */
const cover = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");

async function signIn(visit, first) {
  const { page } = visit;
  await page.goto(`${base}/console`);
  check(page.url().endsWith("/console/sign-in"), "the console needs a session");
  await visit.look("sign-in");
  if (first) {
    await page.goto(link);
  } else {
    await page.fill("[name=public_key]", "public-lab");
    await page.fill("[name=private_key]", "private-lab");
  }
  await page.click("main button");
  await page.waitForURL("**/console/images");
}

async function seeImages(visit) {
  const { page, run } = visit;
  await visit.look("images");
  check((await page.locator("tbody tr").count()) === 20, "a page has 20 rows");
  for (const tab of ["shared", "community", "platform"]) {
    await page.click(`.tabs a[href$="tab=${tab}"]`);
    check((await page.locator("tbody tr").count()) === 1, `${tab} has a row`);
    await visit.look(tab);
  }
  await page.click('.tabs a[href="/console/images"]');
  await page.click("a[rel=next]");
  check((await page.locator("tbody tr").count()) === 20, "the next page has 20 rows");
  await page.click('.tabs a[href="/console/images"]');
  await page.fill("[name=name]", "训练");
  if (!run.javaScriptEnabled) await page.click(".filters button");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
  await visit.look("search");
}

/** The pages for several images, with one that cannot be changed. */
async function selectImages(visit) {
  const { page, run } = visit;
  const select = async (button) => {
    await page.goto(`${base}/console/images?sort=name`);
    for (const row of [1, 2]) await page.check(`tbody tr:nth-child(${row}) [name=id]`);
    await page.click(`.below [formaction$='/${button}']`);
    await visit.look(button);
  };
  await page.goto(`${base}/console/images?size_from=1&tag=cuda12`);
  await visit.look("filters");
  await select("share");
  await select("tag");
  await page.fill("[name=add]", `a-${run.name},b`);
  await page.click("button.primary");
  await page.waitForURL("**?tagged=2");
  await select("tag");
  await page.fill("[name=add]", "c,d,e");
  await page.click("button.primary");
  check((await page.locator(".mark.failed").count()) === 2, "both would have too many tags");
  await visit.look("outcomes");
  await select("tag");
  await page.fill("[name=remove]", `a-${run.name},b`);
  await page.click("button.primary");
  await page.waitForURL("**?tagged=2");
  await page.goto(`${base}/console/images?tag=cuda12`);
  await page.click("td.name a");
}

async function changeImage(visit) {
  const { page } = visit;
  await page.waitForURL("**/console/images/compshareImage*");
  check((await page.locator(".readme td").first().textContent()) === "8888", "the readme is rendered");
  await visit.look("image");
  await page.fill("[name=description]", `PyTorch 2.9, ${visit.run.name}`);
  await page.click("form[action$='/edit'] button");
  await page.waitForURL("**?done=edited");
  check((await page.textContent(".description")).endsWith(visit.run.name), "the description is saved");
  await page.click("form[action*='/link'] button");
  check((await page.textContent("#link code")).startsWith(`${base}/images/`), "there is a link");
  await visit.look("link");
  await page.click(".readme a[href$='/readme']");
  await page.click("[name=preview]");
  await page.waitForSelector("#below td");
  await visit.look("readme");
  await page.click(".buttons a");
  await page.setInputFiles("#cover", { name: "cover.gif", mimeType: "image/gif", buffer: cover });
  await page.click("form[action$='/cover'] button");
  await page.waitForURL("**?done=covered");
  await visit.look("cover");
  await page.click("[form=remove-cover]");
  await page.waitForURL("**?done=uncovered");
}

async function makeAndDelete(visit) {
  const { page, run } = visit;
  await page.click("nav a[href='/console/make']");
  await page.fill("[name=name]", run.name);
  await page.click("[name=estimate]");
  await page.waitForSelector(".notice");
  await visit.look("make");
  await page.click("main button.primary");
  await page.waitForURL("**?done=made");
  await visit.look("made");
  // With JavaScript the status changes by itself.
  for (let tries = 0; !(await page.locator(".mark.available").count()); tries += 1) {
    check(tries < 60, "the image is made");
    await page.waitForTimeout(500);
    if (!run.javaScriptEnabled) await page.reload();
  }
  await page.goto(`${base}/console/images?name=${run.name}`);
  await page.check("tbody input[name=id]");
  await page.click("button.danger");
  await visit.look("delete");
  await page.click("button.danger");
  await page.waitForURL("**?deleted=1");
}

async function useTrash(visit) {
  const { page, run } = visit;
  await page.click("nav a[href='/console/trash']");
  await visit.look("trash");
  await page.check("tbody input[name=id]");
  await page.click("button[formaction$='/purge']");
  await visit.look("purge");
  await page.click("main a.button");
  await page.waitForURL("**/console/trash");
  await page.check("tbody input[name=id]");
  await page.click("form[action$='/restore'] button:not([formaction])");
  await page.waitForURL("**?restored=1");
  await visit.look("restored");
  await page.goto(`${base}/console/images?name=${run.name}`);
  check((await page.locator("tbody tr").count()) === 1, "the image is restored");
}

/** Skips to the content, selects an image, asks to delete it, and estimates another, without a mouse. */
async function useKeyboard(visit) {
  const { page } = visit;
  const tabTo = async (selector) => {
    for (let presses = 0; presses < 80; presses += 1) {
      await page.keyboard.press("Tab");
      const outline = await page.evaluate((selector) => {
        const focused = document.activeElement;
        return focused.matches(selector) && getComputedStyle(focused).outlineStyle;
      }, selector);
      if (outline) return check(outline !== "none", `the focus on ${selector} is visible`);
    }
    throw new Error(`${selector} is not reached`);
  };
  await page.goto(`${base}/console/images`);
  await tabTo(".skip");
  await page.keyboard.press("Enter");
  await page.waitForURL("**#content");
  await tabTo("tbody [name=id]");
  await page.keyboard.press("Space");
  check(await page.isChecked("tbody tr:first-child [name=id]"), "the image is selected");
  await tabTo(".below button.danger");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/images/delete");
  await tabTo("main a.button");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/images");
  await tabTo("nav a[href='/console/make']");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/make");
  await tabTo("[name=name]");
  await page.keyboard.type("by-keyboard");
  await tabTo("[name=estimate]");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".notice");
  check((await page.inputValue("[name=name]")) === "by-keyboard", "the name is kept");
}

async function seeUsage(visit) {
  const { page } = visit;
  await page.click("nav a[href='/console/usage']");
  check((await page.locator(".limits progress").count()) > 0, "there are limits");
  check((await page.locator("svg.chart polyline").count()) === 3, "the chart has three lines");
  await visit.look("usage");
}

async function seeActivity(visit) {
  const { page, run } = visit;
  await page.click("nav a[href='/console/activity']");
  await page.waitForURL("**/console/activity");
  const actions = await page.locator("tbody td.name").allTextContents();
  for (const action of ["CreateCompShareCustomImage", "TerminateCompShareCustomImage", "RestoreCompShareCustomImage"]) {
    check(actions.includes(action), `${run.name}: ${action} is recorded`);
  }
  await visit.look("activity");
}

/** Sends the start of a file, as an upload that was interrupted, and then imports the file on the page. */
async function importFile(visit) {
  const { page, run } = visit;
  await page.click("nav a[href='/console/import']");
  await visit.look("import");
  if (!run.javaScriptEnabled) {
    check(await page.isVisible("noscript .card"), "the page names the command line");
    check(!(await page.isVisible("#import")), "there is no form without JavaScript");
    return;
  }
  const name = `imported-${run.name}`;
  // Random data, zeros, and an end that is not whole.
  const bytes = Buffer.concat([randomBytes(20_000_000), Buffer.alloc(24_000_000), randomBytes(512 * 1001)]);
  const file = join(folder, "disk.raw");
  writeFileSync(file, bytes);
  // Remembers an upload, as the page does, and starts it. Returns the path of its link.
  const begin = (imageName) => page.evaluate(async ([imageName, size]) => {
    const { account } = document.getElementById("import").dataset;
    const token = document.querySelector("#import [name=form_token]").value;
    const body = new URLSearchParams({ form_token: token, name: imageName, size });
    const { id, path } = await (await fetch("/console/import/start", { method: "POST", body })).json();
    const remembered = { id, name: imageName, description: "", size, file: "disk.raw" };
    localStorage.setItem(`jingku-import-${account}`, JSON.stringify(remembered));
    return path;
  }, [imageName, bytes.length]);
  await begin("cancelled");
  await page.reload();
  await page.click("[data-cancel]");
  await page.waitForSelector("#import-progress", { state: "hidden" });
  const path = await begin(name);
  const sent = { method: "PATCH", body: bytes.subarray(0, 3_000_001), headers: { "Upload-Offset": "0", "Upload-Hash": "sparse" } };
  check((await fetch(`${base}${path}`, sent)).status === 204, "the start of the file is sent");
  await page.reload();
  check((await page.textContent("#import-progress [data-text]")).includes("disk.raw"), "the page offers to resume");
  await visit.look("import-resume");
  await page.setInputFiles("#import [name=file]", file);
  check((await page.inputValue("#import [name=name]")) === name, "the name is remembered");
  await page.click("#import button.primary");
  await page.waitForURL("**?done=imported", { timeout: 60_000 });
  rmSync(file);
  for (let tries = 0; !(await page.locator(".mark.available").count()); tries += 1) {
    check(tries < 60, "the image is made");
    await page.waitForTimeout(500);
  }
  await page.goto(`${base}/console/images?name=cancelled`);
  check((await page.locator("tbody tr").count()) === 0, "the other upload was cancelled");
}

async function leave(visit) {
  const { page } = visit;
  await page.click("footer a[lang=en]");
  check((await page.getAttribute("html", "lang")) === "en", "the language can be chosen");
  await page.click("footer a[lang=zh-CN]");
  check((await page.getAttribute("html", "lang")) === "zh-CN", "the language can be chosen");
  await page.click(".account button");
  await page.waitForURL("**/console/sign-in");
  await page.goto(`${base}/console/images`);
  check(page.url().endsWith("/console/sign-in"), "the session has ended");
}

const browser = await launch();
for (const [index, run] of runs.entries()) {
  const context = await browser.newContext(run);
  context.setDefaultTimeout(15_000);
  const visit = new Visit(await context.newPage(), run);
  await signIn(visit, index === 0);
  await seeImages(visit);
  await selectImages(visit);
  await changeImage(visit);
  await makeAndDelete(visit);
  await useTrash(visit);
  await useKeyboard(visit);
  await seeUsage(visit);
  await seeActivity(visit);
  await importFile(visit);
  await leave(visit);
  visit.done();
  await context.close();
  console.log(`${run.name}: passed`);
}
await browser.close();
