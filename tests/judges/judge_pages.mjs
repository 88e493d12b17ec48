// Looks at pages as readers do, in one Chromium: axe in light and dark, nothing wider than a small telephone, no script, and nothing
// from elsewhere. Arguments: the folder of the node modules, the browser, the address of the newsroom, the paths of the pages.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, executablePath, base, ...paths] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { default: puppeteer } = await import(pathToFileURL(require.resolve("puppeteer-core")));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const findings = [];
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await puppeteer.launch({ executablePath, args: quiet });
const page = await browser.newPage();
let path = "";
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(base) && !url.startsWith("data:")) findings.push(`${path}: asks for ${url}`);
});

/** What axe has against the page as it stands; all its rules, or only those named. */
async function judge(light, rules) {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: light }]);
  const { violations } = await page.evaluate((only) => window.axe.run(document, only ? { runOnly: only } : {}), rules);
  for (const { id, nodes } of violations) {
    for (const node of nodes.slice(0, 3)) findings.push(`${path} (${light}): ${id}: ${node.html.slice(0, 160)}`);
  }
}

for (path of paths) {
  await page.setViewport({ width: 1200, height: 900 });
  const answer = await page.goto(base + path, { waitUntil: "load" });
  if (answer.status() !== 200) findings.push(`${path}: ${answer.status()}`);
  const scripts = await page.evaluate(() => {
    const runs = [...document.scripts].filter((script) => script.type !== "application/ld+json");
    const handlers = [...document.querySelectorAll("*")].filter((node) => node.getAttributeNames().some((name) => name.startsWith("on")));
    return runs.length + handlers.length;
  });
  if (scripts > 0) findings.push(`${path}: has ${scripts} scripts`);
  await page.evaluate(axe);
  await judge("light");
  await judge("dark", ["color-contrast", "link-in-text-block"]);
  await page.setViewport({ width: 320, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) findings.push(`${path}: is ${wide} pixels wider than 320`);
}
await browser.close();
console.log(findings.join("\n"));
console.log(`${paths.length} pages, ${findings.length} findings`);
process.exit(findings.length > 0 ? 1 : 0);
