// Writes texts that try to run into everything that a tenant can write, and opens every page that shows them, as the same
// and as another account. Argument: the base URL.
import { check, launch, signIn } from "./browser.mjs";

const [base] = process.argv.slice(2);
const id = "compshareImage-1trainingenv";
const url = `${base}/console/images/${id}`;
const texts = [
  "\"'><img src=x onerror=\"window.ran=1;alert(1)\"><script>window.ran = 1; alert(1)</script>",
  "</textarea></title><svg onload=alert(1)>{{7*7}}${alert(1)}<!--",
];
const readmes = [
  [
    ...texts,
    "[a](javascript:alert(1)) ![b](javascript:alert(1)) <javascript:alert(1)>",
    "[c]: data:text/html,<script>alert(1)</script>\n\n[c] [d](//evil.example/x)",
  ].join("\n\n"),
  [
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "<a href=\"javascript:alert(1)\" hx-get=\"/console/images\" hx-trigger=\"load\">x</a>",
    "```\"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```\n\n# x {onclick=alert(1)}",
  ].join("\n\n"),
];

/** Looks for anything in the page that a text brought there. */
async function look(page, where) {
  await page.waitForLoadState();
  const found = await page.evaluate(() => {
    const attributes = [...document.querySelectorAll("*")].flatMap((element) => [...element.attributes]);
    return {
      ran: window.ran,
      handlers: attributes.filter(({ name }) => /^(on|style$|srcdoc$)/.test(name)).map(({ name }) => name),
      frames: document.querySelectorAll("iframe, object, embed, base").length,
      scripts: [...document.scripts].filter((script) => !script.src.startsWith(`${location.origin}/console/assets/`)).length,
      links: [...document.links].map(({ href }) => href).filter((href) => !/^(https?:|mailto:)/.test(href)),
      titles: document.head.querySelectorAll("title").length + document.body.querySelectorAll("title:not(svg title)").length,
    };
  });
  const clean = { handlers: [], frames: 0, scripts: 0, links: [], titles: 1 };
  check(JSON.stringify(found) === JSON.stringify(clean), `${where}: ${JSON.stringify(found)}`);
}

async function open(page, path) {
  await page.goto(path.startsWith("http") ? path : `${base}${path}`);
  await look(page, path);
}

async function writeTexts(page, text, readme) {
  await page.goto(url);
  await page.fill("#description", text);
  await page.fill("#tags", text.replaceAll(",", ";").slice(0, 60));
  await page.click("form[action$='/edit'] button");
  await page.waitForURL("**?done=edited");
  await look(page, `description ${text}`);
  check((await page.textContent(".description")) === text, "the description is shown as it was written");
  await page.goto(`${url}/readme`);
  await page.fill("#readme", readme);
  await page.click("[name=preview]");
  await page.waitForSelector("#below h2:has-text('Preview')");
  await look(page, `preview of ${readme}`);
  await page.click("button.primary");
  await page.waitForURL("**?done=edited");
  await look(page, `readme ${readme}`);
  await open(page, `${url}/readme`);
  await page.goto(url);
  await page.fill("#name", text.slice(0, 40));
  await page.click("form[action$='/edit'] button");
  check(await page.isVisible(".notice.error"), "such a name is refused");
  await look(page, `name ${text}`);
}

/** Pages with several images, and their refusals. */
async function selectImage(page, text) {
  for (const [button, field, value] of [["tag", "add", `${text},b,c,d`], ["share", "accounts", text]]) {
    await page.goto(`${base}/console/images?tab=own&status=Available&name=${encodeURIComponent("训练")}`);
    await page.check("tbody [name=id]");
    await page.click(`[formaction$='/${button}']`);
    await look(page, button);
    await page.fill(`[name=${field}]`, value);
    await page.click("button.primary");
    await look(page, `${button} ${text}`);
  }
}

async function importFile(page, text) {
  await page.goto(`${base}/console/import`);
  const name = `${text.replaceAll("/", "_")}.raw`;
  await page.setInputFiles("#import [name=file]", { name, mimeType: "text/html", buffer: Buffer.from(text) });
  check((await page.textContent("#import-file")).includes(name), "the name of the file is shown as it is");
  await look(page, `file ${name}`);
  // An upload that another program has started under this name.
  await page.evaluate(([file, text]) => {
    const { account } = document.getElementById("import").dataset;
    localStorage.setItem(`jingku-import-${account}`, JSON.stringify({ id: text, name: text, description: text, size: 9, file }));
  }, [name, text]);
  await page.reload();
  check((await page.textContent("#import-progress [data-text]")).includes(name), "and in the offer to resume");
  await look(page, `resume ${name}`);
  await page.evaluate(() => localStorage.clear());
}

/** A picture that is also a page is only ever a picture. */
async function setCover(page) {
  const comment = Buffer.from("<!doctype html><script>window.ran = 1; alert(1)</script>");
  const pixel = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
  const buffer = Buffer.concat([pixel.subarray(0, 19), Buffer.from([0x21, 0xfe, comment.length]), comment, Buffer.from([0]), pixel.subarray(19)]);
  await page.goto(url);
  await page.setInputFiles("#cover", { name: "\"><script>alert(1)</script>.html", mimeType: "text/html", buffer });
  await page.click("form[action$='/cover'] button");
  await page.waitForURL("**?done=covered");
  await look(page, "cover");
  const cover = base + (await page.getAttribute("img.cover", "src"));
  const { headers } = await fetch(cover);
  check(headers.get("content-type") === "image/gif" && headers.get("x-content-type-options") === "nosniff", "the cover is a picture");
  // The browser's own page for pictures has a style, which the policy of the cover forbids.
  const alone = await page.context().newPage();
  await alone.goto(cover);
  check((await alone.evaluate(() => [document.contentType, window.ran])).join() === "image/gif,", "nothing in it runs");
  await alone.close();
}

const browser = await launch();
const owner = await signIn(browser, base);
const other = await signIn(browser, base, { account: "colleague" });
await owner.page.goto(url);
await owner.page.fill("#accounts", "2");
await owner.page.click("form[action$='/share'] button");
await owner.page.waitForURL("**?done=shared");
for (const [index, readme] of readmes.entries()) {
  const text = texts[index];
  await writeTexts(owner.page, text, readme);
  await open(other.page, url);
  await selectImage(owner.page, text);
  await importFile(owner.page, text);
  const query = encodeURIComponent(text);
  for (const path of ["images", "activity", "make", "trash", "usage", "import", `images/${query}`, query]) {
    await open(owner.page, `/console/${path}?${["name", "tag", "zone", "status", "sort", "from", "token", "image", "instance", "done"].map((name) => `${name}=${query}`).join("&")}`);
  }
  await open(other.page, "/console/images?tab=shared");
}
await setCover(owner.page);
await owner.page.goto(url);
await owner.page.click(".columns button.danger");
await look(owner.page, "delete");
await owner.page.click("button.danger");
await owner.page.waitForURL("**?deleted=1");
await open(owner.page, "/console/trash");
const unexpected = [...owner.problems, ...other.problems].filter((text) => !/status of (4\d\d)/.test(text));
check(unexpected.length === 0, unexpected.join("\n"));
await browser.close();
