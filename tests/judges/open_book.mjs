// Opens a book as an e-reader does, with foliate-js in Chromium: prints what it understands of it as JSON, and takes pictures of it.
// Arguments: the folder of the node modules, the browser, the book, the folder for the pictures.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, executablePath, book, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { default: puppeteer } = await import(pathToFileURL(require.resolve("puppeteer-core")));

const types = { ".js": "text/javascript", ".css": "text/css", ".epub": "application/epub+zip" };
const reader = '<!DOCTYPE html><meta charset="utf-8"><style>html,body,foliate-view{height:100%;margin:0;display:block}</style>';
const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://reader/");
  try {
    const body = pathname === "/" ? reader : await readFile(pathname === "/book.epub" ? book : join(modules, "foliate-js", normalize(pathname)));
    response.writeHead(200, { "content-type": types[extname(pathname)] ?? "text/html" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await puppeteer.launch({ executablePath, args: quiet });
const page = await browser.newPage();
const faults = [];
page.on("pageerror", (error) => faults.push(String(error)));
await page.setViewport({ width: 480, height: 640 });
await page.goto(`http://127.0.0.1:${server.address().port}/`);

const read = await page.evaluate(async () => {
  await import("/view.js");
  const view = document.createElement("foliate-view");
  document.body.append(view);
  window.view = view;
  const bytes = await (await fetch("/book.epub")).blob();
  await view.open(new File([bytes], "book.epub"));
  const { book } = view;
  const targets = async (entries = []) =>
    Promise.all(
      entries.map(async ({ label, href, subitems }) => {
        const place = await book.resolveHref(href);
        const document = place && (await book.sections[place.index].createDocument());
        const shown = document && place.anchor(document);
        // The place of a whole file is 0.
        return { label: label.trim(), href, leads: shown === 0 || Boolean(shown), below: await targets(subitems ?? []) };
      }),
    );
  const cover = await book.getCover();
  const size = cover && (await createImageBitmap(cover));
  return {
    metadata: book.metadata,
    dir: book.dir,
    toc: await targets(book.toc),
    pages: await targets(book.pageList ?? []),
    landmarks: (book.landmarks ?? []).map(({ type, href }) => ({ type, href })),
    sections: book.sections.map(({ id, linear }) => ({ id, linear })),
    cover: size && { width: size.width, height: size.height, type: cover.type },
  };
});

// What lies in a section as it is shown, and a picture of it.
read.shown = [];
for (const index of read.sections.keys()) {
  const seen = await page.evaluate(async (index) => {
    const shown = new Promise((done) => window.view.addEventListener("load", done, { once: true }));
    await window.view.goTo(index);
    const { doc } = (await Promise.race([shown, new Promise((done) => setTimeout(done, 4000))]))?.detail ?? {};
    const { writingMode } = doc ? doc.defaultView.getComputedStyle(doc.body) : {};
    const pictures = [...(doc?.images ?? [])];
    return { writingMode, text: doc?.body.textContent.replace(/\s+/g, " ").trim().slice(0, 200), broken: pictures.filter((image) => image.naturalWidth === 0).length };
  }, index);
  read.shown.push(seen);
  await page.screenshot({ path: join(folder, `${String(index).padStart(2, "0")}.png`) });
}
await browser.close();
server.close();
console.log(JSON.stringify({ ...read, faults }));
process.exit(0);
