// What the scripts share.
import { chromium } from "playwright-core";

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

export function launch() {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/**
 * A browser of its own that is signed in. `problems` collects what its pages report: errors, blocked content, dialogs, and
 * requests to other servers.
 */
export async function signIn(browser, base, { account = "lab", script = true } = {}) {
  const context = await browser.newContext({ locale: "en-US", javaScriptEnabled: script });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => /^(blob|data):/.test(request.url()) || request.url().startsWith(base) || problems.push(request.url()));
  page.on("dialog", (dialog) => {
    problems.push(`dialog ${dialog.message()}`);
    return dialog.dismiss();
  });
  await page.goto(`${base}/console/sign-in`);
  await page.fill("[name=public_key]", `public-${account}`);
  await page.fill("[name=private_key]", `private-${account}`);
  await page.click("main button");
  await page.waitForURL("**/console/images");
  return { page, problems };
}
