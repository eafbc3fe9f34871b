// html-validate as a service on a free port of the loopback, which it prints: takes a page, answers with its messages.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { HtmlValidate, StaticConfigLoader } from "html-validate";

const config = JSON.parse(readFileSync(new URL("../../htmlvalidate.json", import.meta.url)));
const validator = new HtmlValidate(new StaticConfigLoader(config));

const server = createServer(async (request, response) => {
  const report = await validator.validateString(await text(request));
  response.end(JSON.stringify(report.results.flatMap((result) => result.messages)));
});
server.listen(0, "127.0.0.1", () => console.log(`html-validate at http://127.0.0.1:${server.address().port}/`));
