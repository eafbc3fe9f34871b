// What openid-client makes of Jeton's metadata, introspection and revocation. Reads JSON from standard input, prints JSON.

import { readFileSync } from "node:fs";
import * as client from "openid-client";

const given = JSON.parse(readFileSync(0, "utf8"));

// RFC 8414 alone: Jeton is no OpenID provider. Without TLS only because this is a test.
const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };
const discovered = (method) => client.discovery(new URL(given.url), given.id, undefined, method, options);

const failure = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    return [error.name, error.code, error.error, error.status, error.cause?.map?.(({ scheme }) => scheme)];
  }
};

const results = {};
for (const [name, method] of [["basic", client.ClientSecretBasic], ["post", client.ClientSecretPost]]) {
  const jeton = await discovered(method(given.secret));
  results.issuer = jeton.serverMetadata().issuer;
  for (const token of ["writes", "reads", "revoked", "unknown"]) {
    results[`${name} ${token}`] = await client.tokenIntrospection(jeton, given[token], { token_type_hint: "access_token" });
  }
  const wrong = await discovered(method("wrong"));
  results[`${name} wrong secret`] = await failure(client.tokenIntrospection(wrong, given.writes));
  results[`${name} revocation with a wrong secret`] = await failure(client.tokenRevocation(wrong, given.writes));
  const token = name === "basic" ? given.writes : given.reads;
  results[`${name} revocation`] = (await failure(client.tokenRevocation(jeton, token))) ?? "done";
  results[`${name} afterwards`] = await client.tokenIntrospection(jeton, token);
}
console.log(JSON.stringify(results));
