// Reads catalogues as Thorium does, with r2-opds-js, and judges those in JSON by a schema: prints a line for each book that it finds
// (file, title, address, type, cover), one for each link to another list, and what the schema refuses.
// Arguments: the folder of the node modules, the schema, the files.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, schema, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const part = (name) => require(`r2-${name}`);
const { initGlobalConverters_OPDS, initGlobalConverters_GENERIC } = part("opds-js/dist/es8-es2017/src/opds/init-globals");
const { convertOpds1ToOpds2 } = part("opds-js/dist/es8-es2017/src/opds/converter");
const { OPDS } = part("opds-js/dist/es8-es2017/src/opds/opds1/opds");
const { OPDSFeed } = part("opds-js/dist/es8-es2017/src/opds/opds2/opds2");
const { XML } = part("utils-js/dist/es8-es2017/src/_utils/xml-js-mapper");
const { TaJsonDeserialize } = part("lcp-js/dist/es8-es2017/src/serializable");
const { DOMParser } = require("@xmldom/xmldom");
const { default: Ajv } = require("ajv/dist/2020");
const { default: formats } = require("ajv-formats");

initGlobalConverters_OPDS();
initGlobalConverters_GENERIC();
const ajv = new Ajv({ allErrors: true, strictTypes: false, strictRequired: false });
formats(ajv);
const allows = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));

const acquisition = (link) => (link.Rel ?? []).some((rel) => rel.startsWith("http://opds-spec.org/acquisition"));
let refused = 0;
for (const file of files) {
  const [name, text] = [basename(file), readFileSync(file, "utf8")];
  let feed;
  if (file.endsWith(".json")) {
    const json = JSON.parse(text);
    if (!allows(json)) {
      for (const { instancePath, message, params } of allows.errors) {
        refused += 1;
        console.log(["refused", name, instancePath, message, JSON.stringify(params)].join("\t"));
      }
    }
    feed = TaJsonDeserialize(json, OPDSFeed);
  } else {
    feed = convertOpds1ToOpds2(XML.deserialize(new DOMParser().parseFromString(text, "application/xml"), OPDS));
  }
  for (const { Metadata, Links, Images } of feed.Publications ?? []) {
    const link = (Links ?? []).find(acquisition);
    console.log(["book", name, Metadata?.Title, link?.Href, link?.TypeLink, Images?.[0]?.Href].join("\t"));
  }
  for (const { Title, Href } of feed.Navigation ?? []) console.log(["list", name, Title, Href].join("\t"));
}
process.exit(refused > 0 ? 1 : 0);
