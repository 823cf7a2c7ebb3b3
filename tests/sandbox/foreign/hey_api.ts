// What the API offers, through the client of @hey-api/openapi-ts on node's fetch: node <this> URL KEY.
import { client } from "./generated/hey/client.gen";
import * as sdk from "./generated/hey";

declare const process: { argv: string[] };
const [baseUrl, key] = process.argv.slice(2) as [string, string];
client.setConfig({ baseUrl, auth: () => key, throwOnError: true });
const throwOnError = true as const;

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

async function contacts(): Promise<void> {
  const body: sdk.ContactRequest = { first_name: "Ada", primary_phone: "+390312345678" };
  const { data: made } = await sdk.createContact({ body, throwOnError });
  const path = { id: made.id };
  const { data: page } = await sdk.searchContacts({ query: { first_name: "ADA", last_name: "" }, throwOnError });
  check(page.data.some((each) => each.id === made.id), "found by its first name");
  check((await sdk.getContact({ path, throwOnError })).data.first_name === "Ada", "got by id");
  const put = await sdk.updateContact({ path, body: { ...body, last_name: "Put" }, throwOnError });
  const post = await sdk.updateContactByPost({ path, body: { ...body, last_name: "Post" }, throwOnError });
  check(put.data.last_name === "Put" && post.data.last_name === "Post", "updated by either verb");
  await sdk.deleteContact({ path, throwOnError });
  check((await sdk.getContact({ path, throwOnError: false })).response?.status === 404, "gone");
}

async function subscriptions(): Promise<void> {
  const body: sdk.WebhookSubscriptionRequest = { callback_url: "http://127.0.0.1:9/", event_type: "CALL_INCOMING" };
  const { data: made } = await sdk.createWebhookSubscription({ body, throwOnError });
  const path = { id: made.id };
  check((await sdk.getWebhookSubscriptions({ throwOnError })).data.length === 1, "listed");
  const change: sdk.WebhookSubscriptionUpdate = { ...body, id: made.id, event_type: "CLICK_TO_CALL", enabled: false };
  check((await sdk.updateWebhookSubscription({ path, body: change, throwOnError })).data.enabled === false, "put");
  change.enabled = true;
  check((await sdk.updateWebhookSubscriptionByPost({ path, body: change, throwOnError })).data.enabled === true, "post");
  check((await sdk.getWebhookSubscription({ path, throwOnError })).data.id === made.id, "got by id");
  await sdk.deleteWebhookSubscription({ path, throwOnError });
}

async function events(): Promise<void> {
  const query = { size: 1000, page: 0, sort: "timestamp,desc" };
  const answer = await sdk.queryTelephonyEvents({ query, body: {}, throwOnError });
  const rows = (answer.data as sdk.TelephonyEventPage).content;
  const kinds = new Set(rows.map((row) => row.type));
  check((["PHONE_CALL", "FAX_CALL", "CLICK_TO_CALL"] as const).every((kind) => kinds.has(kind)), "rows of every kind");
  const row = rows[0] as sdk.PhoneCall;
  await sdk.getTelephonyEvent({ path: { id: row.id }, throwOnError });
  await sdk.getTelephonyEventsByCallId({ query: { callId: String(row.callId) }, throwOnError });
  const csv = await sdk.queryTelephonyEvents({ query, body: {}, headers: { Accept: "text/csv" }, throwOnError });
  check(String(csv.data).split("\r\n").length === 1002, "exported");
}

async function clickToCall(): Promise<void> {
  const user = (await sdk.getUsers({ throwOnError })).data[0]!;
  const outboundNumber = user.outbound_cli!.available_dids![0]!.number;
  const body: sdk.ClickToCallRequest = { name: "support", extension: String(user.extension_number), outboundNumber };
  const { data: made } = await sdk.createClickToCall({ body, throwOnError });
  const path = { id: made.id };
  check((await sdk.getClickToCalls({ throwOnError })).data.length === 1, "listed");
  check((await sdk.getClickToCall({ path, throwOnError })).data.dial_first === "extension", "got by id");
  const ring = await sdk.connectClickToCall({ path, body: { contact: "+39987654321" }, throwOnError });
  check(ring.data.contact === "+39987654321", "connected");
  await sdk.deleteClickToCall({ path, throwOnError });
}

check((await sdk.validateAuth({ throwOnError })).data.name !== "", "the account");
await contacts();
await subscriptions();
await events();
await clickToCall();
const stranger = await sdk.getUsers({ auth: "wrong", throwOnError: false });
check(stranger.response?.status === 401, "a wrong key");
console.log("done");
