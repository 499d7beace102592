// What the scripts that drive the console share: how they look at pages. Arguments: the base URL, a link that signs in
// once, and a folder for screenshots. operate.mjs has the command that prints links instead.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { check } from "./browser.mjs";

export const [base, link, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wide = { width: 1280, height: 860 };
const narrow = { width: 390, height: 844 };

/** Any two of language, colours, width and JavaScript are there together. */
export const runs = [
  { name: "en-light-wide", locale: "en-US", colorScheme: "light", viewport: wide, javaScriptEnabled: true },
  { name: "zh-dark-narrow", locale: "zh-CN", colorScheme: "dark", viewport: narrow, javaScriptEnabled: true },
  { name: "en-dark-narrow-plain", locale: "en-US", colorScheme: "dark", viewport: narrow, javaScriptEnabled: false },
  { name: "zh-dark-wide-plain", locale: "zh-CN", colorScheme: "dark", viewport: wide, javaScriptEnabled: false },
  { name: "zh-light-narrow-plain", locale: "zh-CN", colorScheme: "light", viewport: narrow, javaScriptEnabled: false },
];

/** Opens pages, takes a screenshot of each, and looks for accessibility faults and for content that does not fit. */
export class Visit {
  constructor(page, run) {
    Object.assign(this, { page, run, problems: [] });
    // Browsers call a refusal an error.
    const isRefusal = (text) => /status of 422/.test(text);
    page.on("console", (message) => message.type() === "error" && !isRefusal(message.text()) && this.problems.push(message.text()));
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("request", (request) => request.url().startsWith(base) || this.problems.push(request.url()));
  }

  async look(name) {
    const { page, run } = this;
    await page.screenshot({ path: join(folder, `${run.name}-${name}.png`), fullPage: true });
    check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${run.name} ${name} does not fit`);
    if (!run.javaScriptEnabled) return;
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    const texts = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n")}`);
    check(texts.length === 0, `${run.name} ${name}: ${texts.join("\n")}`);
  }

  done() {
    check(this.problems.length === 0, `${this.run.name}: ${this.problems.join("\n")}`);
  }
}
