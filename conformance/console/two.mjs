// Two browsers change the same image, one of them without JavaScript. Argument: the base URL.
import { deflateSync, crc32 } from "node:zlib";
import { check, launch, signIn } from "./browser.mjs";

const [base] = process.argv.slice(2);
const url = `${base}/console/images/compshareImage-1trainingenv`;

/** A picture of one pixel in this shade of grey. */
function picture(shade) {
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [data.length, crc32(body)].map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    });
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.from([0, shade]))), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

const refused = async (page) => check(await page.isVisible(".notice.error"), "the second browser learns of the change");

async function editTexts(one, two) {
  await Promise.all([one.goto(url), two.goto(url)]);
  const edit = async (page, description) => {
    await page.fill("#description", description);
    await page.click("form[action$='/edit'] button");
    await page.waitForLoadState();
  };
  await edit(one, "by one");
  check(one.url().endsWith("?done=edited"), "the first browser saves");
  await edit(two, "by two");
  await refused(two);
  check((await two.textContent(".description")) === "by one", "it sees what the other has saved");
  check((await two.inputValue("#description")) === "by two", "and what it has entered");
  await edit(two, "by both");
  check(two.url().endsWith("?done=edited"), "it can save then");
  await one.reload();
  check((await one.textContent(".description")) === "by both", "both see the same");
  // Exactly one of two that save at the same time succeeds.
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([one.goto(url), two.goto(url)]);
    await Promise.all([edit(one, `one ${round}`), edit(two, `two ${round}`)]);
    const saved = [one, two].filter((page) => page.url().endsWith("?done=edited"));
    check(saved.length === 1, `${saved.length} browsers saved in round ${round}`);
    await Promise.all([one, two].filter((page) => page !== saved[0]).map(refused));
  }
}

async function editReadme(one, two) {
  await Promise.all([one.goto(`${url}/readme`), two.goto(`${url}/readme`)]);
  for (const [page, text] of [[one, "# 一\n\n*of one*"], [two, "of two"]]) {
    await page.fill("#readme", text);
    await page.click("[name=preview]");
    await page.waitForFunction((text) => document.querySelector("#below").textContent.includes(text), text.slice(-4, -1));
    check((await page.inputValue("#readme")) === text, "a preview changes nothing");
  }
  await one.click("button.primary");
  await one.waitForURL("**?done=edited");
  check((await one.textContent(".readme em")) === "of one", "the readme is saved");
  await two.click("button.primary");
  await refused(two);
  check((await two.textContent("#below em")) === "of one", "it sees what the other has saved");
  await two.click("button.primary");
  await two.waitForURL("**?done=edited");
}

async function editCover(one, two) {
  await Promise.all([one.goto(url), two.goto(url)]);
  const upload = async (page, buffer, mimeType = "image/png") => {
    await page.setInputFiles("#cover", { name: "cover.png", mimeType, buffer });
    await page.click("form[action$='/cover'] button:not([name])");
    await page.waitForLoadState();
  };
  const width = (page) => page.evaluate(() => document.querySelector("img.cover").naturalWidth);
  await upload(one, picture(1));
  check(one.url().endsWith("?done=covered") && (await width(one)) === 1, "the cover is shown");
  await upload(two, picture(2));
  await refused(two);
  await upload(two, picture(2));
  check(two.url().endsWith("?done=covered"), "it can be replaced then");
  await upload(two, Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), "image/svg+xml");
  await refused(two);
  // A script refuses a large file before it is sent; without scripts, the server does.
  for (const page of [one, two]) {
    await page.goto(url);
    await upload(page, Buffer.alloc(3 << 20));
  }
  check(await one.evaluate(() => !document.querySelector("#cover").checkValidity()), "the form refuses a large file");
  await refused(two);
  await one.click("[form=remove-cover]");
  await one.waitForURL("**?done=uncovered");
  check((await one.locator("img.cover").count()) === 0, "the cover is removed");
}

/** One deletes the image while the other has its page. */
async function deleteMeanwhile(one, two) {
  await Promise.all([one.goto(url), two.goto(url)]);
  await one.click(".columns button.danger");
  await one.click("button.danger");
  await one.waitForURL("**?deleted=1");
  await two.fill("#description", "too late");
  await two.click("form[action$='/edit'] button");
  check((await two.textContent(".notice.error")).includes("There is nothing here"), "it learns that the image is gone");
}

const browser = await launch();
const one = await signIn(browser, base);
const two = await signIn(browser, base, { script: false });
await editTexts(one.page, two.page);
await editReadme(one.page, two.page);
await editCover(one.page, two.page);
await deleteMeanwhile(one.page, two.page);
// Refusals are errors in the console of a browser.
const unexpected = [...one.problems, ...two.problems].filter((text) => !/status of (4\d\d)/.test(text));
check(unexpected.length === 0, unexpected.join("\n"));
await browser.close();
