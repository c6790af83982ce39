// jsforce, unmodified: logs in with an assertion that Node's crypto signs with our key, and queries.
// Facts come as JSON in argv[2]: modules, url, client_id, username, key_file, api_version, soql.
// One line of JSON goes out.
import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const facts = JSON.parse(process.argv[2]);
const require = createRequire(`${facts.modules}/`);
const jsforce = require("jsforce");

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const input = [
  part({ alg: "RS256" }),
  part({
    iss: facts.client_id,
    sub: facts.username,
    aud: facts.url,
    exp: Math.floor(Date.now() / 1000) + 180,
  }),
].join(".");
const signature = createSign("RSA-SHA256").update(input).sign(readFileSync(facts.key_file), "base64url");

const connection = new jsforce.Connection({
  oauth2: { loginUrl: facts.url },
  version: facts.api_version,
});
const user = await connection.authorize({
  grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
  assertion: `${input}.${signature}`,
});
const { records } = await connection.query(facts.soql, { autoFetch: true, maxFetch: 100000 });
console.log(
  JSON.stringify({
    party: "jsforce",
    version: require("jsforce/package.json").version,
    org_id: user.organizationId,
    user_id: user.id,
    instance_url: connection.instanceUrl,
    records: records.map(({ attributes, ...record }) => record),
  }),
);
