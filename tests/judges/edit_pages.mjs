// Works at the desk as an editor does, in Chromium: logs in, drops a page in doubt, settles its queries, approves, and sees its letters go on
// a page that was open all the time. Every page is looked at by axe, in light and dark, and on a small telephone. Arguments: the folder of
// the node modules, the browser, the desk's address, its password, the file to drop, `mouse` or `keyboard`, the language, and a folder for
// pictures (or `-`).
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, executablePath, base, password, file, hand, language, pictures] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { default: puppeteer } = await import(pathToFileURL(require.resolve("puppeteer-core")));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const findings = [];
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", `--lang=${language}`];
const browser = await puppeteer.launch({ executablePath, args: quiet });
const keyboard = hand === "keyboard";

async function opened(path) {
  const page = await browser.newPage();
  await page.setExtraHTTPHeaders({ "Accept-Language": language });
  await page.setViewport({ width: 1200, height: 900 });
  page.on("pageerror", (error) => findings.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error" && !/ERR_|status of 4/.test(message.text())) findings.push(`${page.url()}: ${message.text()}`); });
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) findings.push(`${page.url()}: asks for ${request.url()}`);
  });
  await page.goto(base + path, { waitUntil: "load" });
  return page;
}

/** What axe has against a page as it stands, in light and dark; and whether it is wider than a small telephone. */
async function judge(page, name) {
  await page.bringToFront();
  await page.evaluate(axe);
  for (const light of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: light }]);
    const options = { iframes: false, ...(light === "dark" ? { runOnly: ["color-contrast", "link-in-text-block"] } : {}) };
    const { violations } = await page.evaluate((options) => window.axe.run(document, options), options);
    for (const { id, nodes } of violations) for (const node of nodes.slice(0, 3)) findings.push(`${name} (${light}): ${id}: ${node.html.slice(0, 200)}`);
    if (pictures !== "-") await page.screenshot({ path: `${pictures}/${name}-${light}.png`, fullPage: true });
  }
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.setViewport({ width: 320, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) findings.push(`${name}: is ${wide} pixels wider than 320`);
  if (pictures !== "-") await page.screenshot({ path: `${pictures}/${name}-phone.png`, fullPage: true });
  await page.setViewport({ width: 1200, height: 900 });
}

/** Presses Tab until the focus is on what is sought, as somebody does who has no mouse. */
async function reach(page, selector) {
  for (let n = 0; n < 120; n++) {
    if (await page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way by Tab to ${selector} on ${page.url()}`);
}

/** Uses a button or a link, and waits for the page that it leads to. */
async function use(page, selector) {
  await page.bringToFront();
  const led = page.waitForNavigation({ waitUntil: "load" });
  if (keyboard) {
    await reach(page, selector);
    await page.keyboard.press("Enter");
  } else {
    await page.click(selector);
  }
  await led;
}

const has = (page, selector) => page.$(selector).then((found) => found !== null);
const told = [];
try {
  const page = await opened("/");
  await judge(page, "login");
  if (keyboard) await reach(page, "#password");
  await page.type("#password", password);
  await use(page, "form[action='/login'] button");

  // A second page stays open, and is never loaded again.
  const board = await opened("/");
  await board.waitForSelector("[data-live=yes]");
  await board.evaluate(() => { 
    window.neverLoadedAgain = true;
    new MutationObserver(() => { window.wasTold = true; }).observe(document.getElementById("told"), { childList: true });
  });

  await page.bringToFront();
  if (keyboard) {
    await reach(page, "#file");
    // A browser that is busy may miss a key, as it may for anybody; then it is pressed again.
    for (let more = 5; more >= 0; more--) {
      const chosen = page.waitForFileChooser({ timeout: 10_000 }).catch((error) => { if (more === 0) throw error; });
      await page.keyboard.press("Space");
      const chooser = await chosen;
      if (chooser) { await chooser.accept([file]); break; }
      await page.bringToFront();
    }
  } else {
    await (await page.$("#file")).uploadFile(file);
  }
  await use(page, "form.drop button");
  await board.waitForSelector("#waits a[href^='/proofs/']");
  told.push("the open page shows the proof that waits");
  await page.waitForSelector("#waits a[href^='/proofs/']");
  await judge(page, "today");
  await use(page, "#waits a[href^='/proofs/']");
  await judge(page, "proof");

  let queries = 0;
  while (await has(page, ".query")) {
    if (keyboard) {
      const led = page.waitForNavigation({ waitUntil: "load" });
      await page.keyboard.press("j");
      await page.keyboard.press("a");
      await led;
    } else {
      await use(page, ".query button");
    }
    if (++queries > 40) throw new Error("the queries do not end");
  }
  told.push(`${queries} queries settled`);
  // Correct a word in the text, and save by the key for it.
  if (keyboard) await page.keyboard.press("e");
  else await page.focus("#text");
  await page.evaluate(() => {
    const text = document.getElementById("text");
    const at = text.value.indexOf("Mondays");
    text.setSelectionRange(at, at + "Mondays".length);
  });
  await page.keyboard.type("Tuesdays");
  const saved = page.waitForNavigation({ waitUntil: "load" });
  await page.keyboard.down("Control");
  await page.keyboard.press("s");
  await page.keyboard.up("Control");
  await saved;
  if (!(await page.$eval("#text", (text) => text.value)).includes("on Tuesdays")) findings.push("what was typed is not saved");
  if (!(await has(page, ".done"))) findings.push("the page does not say that it was saved");

  if (keyboard) {
    const led = page.waitForNavigation({ waitUntil: "load" });
    await page.keyboard.press("v");
    await led;
  } else {
    await use(page, "#preview");
  }
  const frames = await page.$$eval("iframe", (frames) => frames.length);
  if (frames !== 3) findings.push(`the preview has ${frames} frames`);
  if (pictures !== "-") {
    // What is out of sight is not drawn, and would be blank in a picture of the whole page.
    for (const [n, frame] of (await page.$$("iframe")).entries()) {
      await frame.scrollIntoView();
      await frame.screenshot({ path: `${pictures}/preview-${n}.png` });
    }
  }
  for (const frame of page.frames().slice(1)) {
    const text = await frame.evaluate(() => document.documentElement.textContent);
    if (!text.includes("on Tuesdays")) findings.push(`${frame.url()} does not show the text`);
  }
  await judge(page, "preview");
  await use(page, "a[href^='/proofs/']:not([href='/proofs'])");

  if (keyboard) {
    const led = page.waitForNavigation({ waitUntil: "load" });
    await page.keyboard.press("p");
    await led;
  } else {
    await use(page, "#approve");
  }
  if (!/\/issues\/[a-z0-9-]+\?done=published/.test(page.url())) findings.push(`approving led to ${page.url()}`);
  await judge(page, "issue");
  await board.waitForFunction(() => document.querySelector("#letters meter")?.value > 0, { polling: "mutation" });
  if (!(await board.evaluate(() => window.neverLoadedAgain))) findings.push("the open page was loaded again");
  if (!(await board.evaluate(() => window.wasTold))) findings.push("nobody who cannot see it is told");
  told.push("the open page shows that the letters went");
  await judge(board, "today-after");
  for (const [way, one] of [["/proofs"], ["/issues"], ["/subscribers", "tbody th a"], ["/letters", ".lines h2 a"], ["/health"]]) {
    await use(page, `nav a[href='${way}']`);
    await judge(page, way.slice(1));
    if (one) {
      await use(page, one);
      await judge(page, `one-of-${way.slice(1)}`);
    }
  }
  await page.goto(`${base}/subscribers/import`, { waitUntil: "load" });
  await judge(page, "import");
  writeFileSync(`${file}.csv`, "address,pace\nzhao@example.org,weekly\nnobody,each\n=1+1@example.org,each\n");
  await (await page.$("#file")).uploadFile(`${file}.csv`);
  await use(page, "form.drop button");
  await page.waitForSelector("#untaken", { timeout: 20000 });
  await judge(page, "import-after");
  await page.goto(`${base}/nowhere`, { waitUntil: "load" });
  await judge(page, "nowhere");
  await use(page, "form[action='/logout'] button");
  if (!page.url().endsWith("/login")) findings.push(`logging out led to ${page.url()}`);
} catch (error) {
  findings.push(String(error.stack ?? error));
}
await browser.close();
console.log([...told, ...findings].join("\n"));
console.log(`${told.length} seen, ${findings.length} findings`);
process.exit(findings.length > 0 ? 1 : 0);
