// Drives the pages of the operator in Chromium, in both languages, light and dark, wide and narrow, with and without
// JavaScript. Arguments: the base URL, a data directory, a folder for screenshots, and the program. Each run asks it for a
// link: the server keeps four.
import { execFileSync } from "node:child_process";
import { check, launch } from "./browser.mjs";
import { base, link as data, runs, Visit } from "./visit.mjs";

async function signIn(visit, url) {
  const { page } = visit;
  await page.goto(url);
  await page.click("main button");
  await page.waitForURL("**/console/operator/health");
  const answer = await page.goto(`${base}/console/images`);
  check(answer.status() === 404, "the operator has no images");
  await visit.look("operator-nothing");
  // Chromium reports each answer 404.
  visit.problems = visit.problems.filter((text) => !text.includes("404"));
  await page.click("main a.button");
  await page.waitForURL("**/console/operator/health");
}

async function seeAccounts(visit) {
  const { page, run } = visit;
  await page.click("nav a[href$='/accounts']");
  await page.fill("[name=name]", `lab-${run.name}`);
  await page.click("main button.primary");
  check((await page.locator(".copy code").count()) === 2, "the key pair is shown");
  await visit.look("operator-new-key");
  await page.click("main a.button");
  await page.waitForURL("**/console/operator/accounts/*");
  await page.fill("[name=limit-Images]", "50");
  await page.fill("[name=limit-StoredBytes]", "500GB");
  await page.click("form[action$='/limits'] button");
  await page.waitForURL("**?done=limits");
  check((await page.inputValue("[name=limit-StoredBytes]")) === "500GB", "the limit is set");
  await page.fill("form[action$='/keys'] [name=name]", "laptop");
  await page.check("form[action$='/keys'] [name=read_only]");
  await page.fill("form[action$='/keys'] [name=addresses]", "10.0.0.0/8\nfd00::/8");
  await page.click("form[action$='/keys'] button");
  await page.click("main a.button");
  await page.waitForURL("**/console/operator/accounts/*");
  await page.click("details summary >> nth=1");
  await visit.look("operator-account");
  await page.click("form[action$='/restrict'] button >> visible=true");
  await page.waitForURL("**?done=restricted");
  await page.click("button.danger >> nth=0");
  await visit.look("operator-revoke");
  await page.click("button.danger");
  await page.waitForURL("**?done=revoked");
  await page.click("nav a[href$='/accounts']");
  await visit.look("operator-accounts");
}

async function review(visit) {
  const { page } = visit;
  await page.click("nav a[href$='/review']");
  const waiting = await page.locator("tbody tr").count();
  await visit.look("operator-reviews");
  await page.click("td.name a");
  check((await page.locator(".readme h3").count()) === 1, "the readme is rendered");
  check(await page.evaluate(() => document.querySelector("img.cover").naturalWidth > 0), "the cover is shown");
  await visit.look("operator-review");
  await page.click("form[action$='/approve'] button");
  await page.waitForURL("**?done=approved");
  await page.click("td.name a");
  await page.fill("[name=reason]", "The readme does not say how to start the server.");
  await page.click("form[action$='/refuse'] button");
  await page.waitForURL("**?done=refused");
  check((await page.locator("tbody tr").count()) === waiting - 2, "two images are decided");
}

async function seeHealth(visit, waits) {
  const { page } = visit;
  await page.click("nav a[href$='/health']");
  check((await page.textContent(".card.bad")).includes("broken-weights"), "the corrupted image is named");
  // The server takes a sample each minute.
  for (let tries = 0; waits && !(await page.locator("svg.chart polyline").count()); tries += 1) {
    check(tries < 140, "there are charts");
    await page.waitForTimeout(500);
    await page.reload();
  }
  await visit.look("operator-health");
}

async function leave(visit) {
  const { page } = visit;
  await page.click(".account button");
  await page.waitForURL("**/console/sign-in");
  await page.goto(`${base}/console/operator/health`);
  check(page.url().endsWith("/console/sign-in"), "the session has ended");
}

const [, , , , , program] = process.argv;

function link() {
  const printed = execFileSync(program, ["console", "--operator", "--no-open", "--data-dir", data], { encoding: "utf8" });
  return printed.split("\n")[0];
}

const browser = await launch();
for (const [index, run] of runs.entries()) {
  const context = await browser.newContext(run);
  context.setDefaultTimeout(15_000);
  const visit = new Visit(await context.newPage(), run);
  await signIn(visit, link());
  await seeAccounts(visit);
  await review(visit);
  await seeHealth(visit, index === runs.length - 1);
  await leave(visit);
  visit.done();
  await context.close();
  console.log(`${run.name}: passed`);
}
await browser.close();
