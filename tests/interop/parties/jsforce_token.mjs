// jsforce with a token and instance URL that `sfmint token --format json` printed.
// Facts come as JSON in argv[2]: modules, token (the whole document), api_version, soql. One line of JSON goes out.
import { createRequire } from "node:module";

const facts = JSON.parse(process.argv[2]);
const require = createRequire(`${facts.modules}/`);
const jsforce = require("jsforce");

const connection = new jsforce.Connection({
  accessToken: facts.token.access_token,
  instanceUrl: facts.token.instance_url,
  version: facts.api_version,
});
const identity = await connection.identity();
const { records } = await connection.query(facts.soql, { autoFetch: true, maxFetch: 100000 });
console.log(
  JSON.stringify({
    party: "jsforce",
    version: require("jsforce/package.json").version,
    org_id: identity.organization_id,
    username: identity.username,
    records: records.map(({ attributes, ...record }) => record),
  }),
);
