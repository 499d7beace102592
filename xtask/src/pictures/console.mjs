// Takes a picture of the page of images in each language. Arguments: the base URL, a key pair and the folder.
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, publicKey, privateKey, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [name, locale] of [["console-en", "en-US"], ["console-zh", "zh-CN"]]) {
  const viewport = { width: 1120, height: 680 };
  const context = await browser.newContext({ locale, viewport, colorScheme: "light", timezoneId: "Asia/Shanghai" });
  const page = await context.newPage();
  await page.goto(`${base}/console/images`);
  await page.fill("[name=public_key]", publicKey);
  await page.fill("[name=private_key]", privateKey);
  await page.click("main button");
  await page.waitForURL("**/console/images");
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await context.close();
}
await browser.close();
