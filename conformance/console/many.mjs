// Lists, searches and changes images of an account with 10,000, with and without JavaScript. Argument: the base URL.
import { check, launch, signIn } from "./browser.mjs";

const [base] = process.argv.slice(2);
const rows = (page) => page.locator("tbody tr").count();

/** Follows the links to the next page, as a browser without scripts does. */
async function walk({ page }) {
  const seen = new Set();
  let count = 0;
  let total = "";
  for (let path = "/console/images"; path; ) {
    const html = await (await page.request.get(base + path)).text();
    total ||= html.match(/class="count">(\d+)/)[1];
    for (const [, id] of html.matchAll(/name="id" value="([^"]+)"/g)) {
      seen.add(id);
      count += 1;
    }
    path = html.match(/href="([^"]+)" rel="next"/)?.[1].replaceAll("&#38;", "&").replaceAll("&amp;", "&");
  }
  check(count > 10_000 && String(count) === total, `${count} of ${total} images are listed`);
  check(seen.size === count, "each image is listed once");
}

async function search({ page }, script) {
  const submit = () => script || page.click(".filters > button");
  const expect = async (count) => {
    await submit();
    await page.waitForFunction((count) => document.querySelectorAll("tbody tr").length === count, count);
  };
  await page.goto(`${base}/console/images`);
  check((await rows(page)) === 20, "a page has 20 rows");
  await page.fill("#name", "训练环境");
  await expect(1);
  await page.fill("#name", "");
  await expect(20);
  await page.click(".more summary");
  await page.fill("#tag", "pytorch，训练");
  // A field changes when the focus leaves it.
  await page.press("#tag", "Tab");
  await expect(1);
  await page.fill("#size_below", "15");
  await page.press("#size_below", "Tab");
  await expect(0);
  check((await page.textContent(".empty")).includes("No image matches"), "an empty list says why");
  await page.click(".empty a");
  check((await rows(page)) === 20, "the filters are reset");
}

/** Tags, shares and deletes three images of the first page at once. */
async function changeSeveral({ page }, script) {
  const select = async (button) => {
    await page.goto(`${base}/console/images?name=env`);
    if (script) await page.check("[data-all=id]");
    if (script) await page.uncheck("[data-all=id]");
    for (let row = 1; row <= 3; row += 1) await page.check(`tbody tr:nth-child(${row}) [name=id]`);
    await page.click(`.below button${button}`);
  };
  const tag = script ? "scripted" : "plain";
  await select("[formaction$='/tag']");
  check((await page.locator("[name=id]").count()) === 3, "three images are selected");
  await page.fill("[name=add]", tag);
  await page.click("button.primary");
  await page.waitForURL("**?tagged=3");
  await select("[formaction$='/share']");
  await page.fill("[name=accounts]", "2");
  await page.click("button.primary");
  await page.waitForURL("**?shared=3");
  await select("[formaction$='/share']");
  await page.fill("[name=accounts]", "2");
  await page.click("button[value=unshare]");
  await page.waitForURL("**?unshared=3");
  await page.goto(`${base}/console/images?tag=${tag}`);
  check((await rows(page)) === 3, "the tags are set");
  await select(".danger");
  await page.click("button.danger");
  await page.waitForURL("**?deleted=3");
  await page.goto(`${base}/console/images?tag=${tag}`);
  check((await page.locator(".empty").count()) === 1, "the images are deleted");
}

const browser = await launch();
const visits = [await signIn(browser, base), await signIn(browser, base, { script: false })];
await Promise.all([walk(visits[1]), search(visits[0], true)]);
await search(visits[1], false);
for (const [index, visit] of visits.entries()) {
  await changeSeveral(visit, index === 0);
  check(visit.problems.length === 0, visit.problems.join("\n"));
}
await browser.close();
