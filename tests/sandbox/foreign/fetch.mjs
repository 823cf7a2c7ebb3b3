// Contacts through node's own fetch: node fetch.mjs URL KEY.
const [url, key] = process.argv.slice(2);

async function send(method, path, body, status) {
  const headers = { "Voverc-Auth": key, "Content-Type": "application/json" };
  const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status !== status) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

const contact = { first_name: "Ada", last_name: null, primary_phone: "+390312345678" };
const made = await send("POST", "/api/v1/contacts", contact, 200);
const own = `/api/v1/contacts/${made.id}`;
await send("PUT", own, contact, 200);
await send("POST", own, contact, 200);
await send("GET", own, undefined, 200);
const form = new URLSearchParams({ first_name: "ada", last_name: "", phone: "", limit: "" });
const page = await send("GET", `/api/v1/contacts?${form}`, undefined, 200);
if (!page.data.some((each) => each.id === made.id)) throw new Error("not found");
await send("DELETE", own, undefined, 200);
await send("GET", own, undefined, 404);
console.log("done");
