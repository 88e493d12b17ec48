// A browser that a story drives: a command a line comes in as JSON, an answer a line goes out. Arguments: the folder of the node modules,
// the browser, the address of the newsroom, `script` or `no-script`, and a folder for pictures of what is judged, or `-`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, executablePath, base, scripting, shots] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { default: puppeteer } = await import(pathToFileURL(require.resolve("puppeteer-core")));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await puppeteer.launch({ executablePath, args: quiet });
const page = await browser.newPage();
await page.setJavaScriptEnabled(scripting === "script");
await page.setViewport({ width: 1200, height: 900 });
const strangers = [];
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(base) && !url.startsWith("data:")) strangers.push(`asks for ${url}`);
});
let status = 0;
page.on("response", (response) => {
  if (response.request().isNavigationRequest()) status = response.status();
});

const light = (scheme) => page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);

/** All that is wrong with the page as it stands, for anybody, on a desk and on a small telephone, by day and by night. */
async function judge(name) {
  const findings = strangers.splice(0);
  if (await page.evaluate(() => [...document.scripts].some((script) => script.type !== "application/ld+json"))) findings.push("has scripts");
  // The page came without; axe needs them.
  await page.setJavaScriptEnabled(true);
  for (const width of [1200, 320]) {
    await page.setViewport({ width, height: 900 });
    for (const scheme of ["light", "dark"]) {
      await light(scheme);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document));
      for (const { id, nodes } of violations) {
        for (const node of nodes.slice(0, 3)) findings.push(`${scheme}, ${width}: ${id}: ${node.html.slice(0, 160)}: ${node.any[0]?.message ?? ""}`);
      }
      if (shots !== "-") await page.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true });
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) findings.push(`is ${wide} pixels wider than ${width}`);
  }
  await page.setViewport({ width: 1200, height: 900 });
  await light("light");
  findings.push(...(await walk()));
  await page.setJavaScriptEnabled(scripting === "script");
  return findings;
}

/** Goes through the page with the tab key: everything that can be used must be reached, and seen to be. */
async function walk() {
  const findings = [];
  const wanted = await page.evaluate(() => {
    document.activeElement?.blur();
    const shown = [...document.querySelectorAll("a[href], button, input:not([type=hidden])")].filter((node) => node.checkVisibility());
    // Of radio buttons with one name, the keyboard reaches the one that is chosen.
    return shown.filter((node) => node.type !== "radio" || node.checked).length;
  });
  const reached = new Set();
  for (let n = 0; n < wanted; n += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const node = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(node);
      node.dataset.reached ??= String(document.querySelectorAll("[data-reached]").length);
      return { mark: node.dataset.reached, seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 1, html: node.outerHTML.slice(0, 120) };
    });
    reached.add(at.mark);
    if (!at.seen) findings.push(`does not show the focus of ${at.html}`);
  }
  if (reached.size < wanted) findings.push(`the keyboard reaches ${reached.size} of ${wanted}`);
  return findings;
}

const commands = {
  open: async (path) => (await page.goto(base + path, { waitUntil: "load" })).status(),
  fill: async (selector, text) => {
    await page.$eval(selector, (node) => { node.value = ""; });
    await page.type(selector, text);
  },
  choose: (selector) => page.click(selector),
  press: async (selector) => {
    await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(selector)]);
    return status;
  },
  text: (selector) => page.$eval(selector, (node) => node.innerText),
  shown: (selector) => page.$eval(selector, (node) => node.checkVisibility()),
  judge,
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: (await commands[name](...rest)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: `${name} ${rest.join(" ")}: ${error}` }));
  }
}
await browser.close();
