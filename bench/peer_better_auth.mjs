// Better Auth's API keys in SQLite, behind a route that verifies one. node peer_better_auth.mjs PORT KEYS_FILE COUNT SECRET

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import Database from "better-sqlite3";

const [port, file, count, secret] = process.argv.slice(2);
const database = new Database(`${file}.db`);
database.pragma("journal_mode = WAL");
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  database,
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
  secret,
  telemetry: { enabled: false },
});
await (await getMigrations(auth.options)).runMigrations();
const { user } = await auth.api.signUpEmail({
  body: { name: "Ann", email: "ann@example.org", password: "a long enough sentence" },
});
const keys = [];
for (let number = 0; number < count; number++) {
  const made = await auth.api.createApiKey({ body: { name: `Export ${number}`, userId: user.id } });
  keys.push(made.key);
}
writeFileSync(file, keys.join("\n") + "\n");

createServer(async (request, response) => {
  const key = request.headers.authorization?.replace("Bearer ", "") ?? "";
  const { valid, key: found } = await auth.api.verifyApiKey({ body: { key } });
  response.writeHead(valid ? 200 : 401, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ user: found?.referenceId, id: found?.id }));
}).listen(port, "127.0.0.1");
