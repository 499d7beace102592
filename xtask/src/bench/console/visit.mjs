// Opens the page of images repeatedly, each time with an empty cache and once more with what the first visit has cached.
// Arguments: the base URL, a key pair, and how many times. Prints the cookie of its session and the visits as JSON.
import { chromium } from "playwright-core";

const [base, publicKey, privateKey, times] = process.argv.slice(2);
const address = `${base}/console/images`;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

async function signIn() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  await page.fill("[name=public_key]", publicKey);
  await page.fill("[name=private_key]", privateKey);
  await page.click("main button");
  await page.waitForURL(address);
  const cookies = await context.cookies();
  await context.close();
  return cookies;
}

/** Opens the page in a new tab. Returns the requests and bytes of the network, and the time until all of it is drawn. */
async function visit(context) {
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  const loaded = { requests: 0, bytes: 0 };
  network.on("Network.loadingFinished", ({ encodedDataLength }) => {
    loaded.requests += encodedDataLength > 0 ? 1 : 0;
    loaded.bytes += encodedDataLength;
  });
  await network.send("Network.enable");
  await page.goto(address, { waitUntil: "networkidle" });
  const milliseconds = await page.evaluate(() => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    return Math.max(paint.startTime, performance.getEntriesByType("navigation")[0].loadEventEnd);
  });
  const rows = await page.locator("tbody tr").count();
  if (rows !== 20) throw new Error(`the page has ${rows} rows`);
  await page.close();
  return { ...loaded, milliseconds };
}

const cookies = await signIn();
const visits = [];
for (let time = 0; time < Number(times); time += 1) {
  const context = await browser.newContext();
  await context.addCookies(cookies);
  visits.push({ first: await visit(context), again: await visit(context) });
  await context.close();
}
await browser.close();
const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
console.log(JSON.stringify({ cookie, visits }));
