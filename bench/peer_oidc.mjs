// oidc-provider's token introspection, with its store in memory. node peer_oidc.mjs PORT KEYS_FILE COUNT SECRET

import { writeFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const [port, file, count, secret] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { client_id: "api", client_secret: secret, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  ttl: { ClientCredentials: 3600 },
});
const client = await provider.Client.find("api");
const keys = [];
for (let number = 0; number < count; number++) {
  keys.push(await new provider.ClientCredentials({ client }).save());
}
writeFileSync(file, keys.join("\n") + "\n");
provider.listen(port, "127.0.0.1");
