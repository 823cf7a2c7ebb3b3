// What the API offers, through the types of openapi-typescript and node's fetch: node <this> URL KEY.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/voxloud";

declare const process: { argv: string[] };
const [baseUrl, key] = process.argv.slice(2) as [string, string];
const api = createClient<paths>({ baseUrl, headers: { "Voverc-Auth": key } });

type Answer<T> = { data?: T; response: Response };

function given<T>(answer: Answer<T>): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${answer.response.url}`);
  return answer.data;
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

async function contacts(): Promise<void> {
  const body: components["schemas"]["ContactRequest"] = { first_name: "Ada", primary_phone: "+390312345678" };
  const made = given(await api.POST("/api/v1/contacts", { body }));
  const params = { path: { id: made.id } };
  const page = given(await api.GET("/api/v1/contacts", { params: { query: { first_name: "ADA", last_name: "" } } }));
  check(page.data.some((each) => each.id === made.id), "found by its first name");
  check(given(await api.GET("/api/v1/contacts/{id}", { params })).first_name === "Ada", "got by id");
  const put = given(await api.PUT("/api/v1/contacts/{id}", { params, body: { ...body, last_name: "Put" } }));
  const post = given(await api.POST("/api/v1/contacts/{id}", { params, body: { ...body, last_name: "Post" } }));
  check(put.last_name === "Put" && post.last_name === "Post", "updated by either verb");
  check((await api.DELETE("/api/v1/contacts/{id}", { params, parseAs: "text" })).response.ok, "deleted");
  check((await api.GET("/api/v1/contacts/{id}", { params })).response.status === 404, "gone");
}

async function subscriptions(): Promise<void> {
  const body = { callback_url: "http://127.0.0.1:9/", event_type: "CALL_INCOMING" } as const;
  const made = given(await api.POST("/api/v1/webhook-subscriptions", { body }));
  const params = { path: { id: made.id } };
  check(given(await api.GET("/api/v1/webhook-subscriptions")).length === 1, "listed");
  const change = { ...body, id: made.id, event_type: "CLICK_TO_CALL" } as const;
  for (const enabled of [false, true]) {
    const path = "/api/v1/webhook-subscriptions/{id}";
    const options = { params, body: { ...change, enabled } };
    const changed = given(enabled ? await api.POST(path, options) : await api.PUT(path, options));
    check(changed.enabled === enabled && changed.event_type === "CLICK_TO_CALL", "updated by either verb");
  }
  check(given(await api.GET("/api/v1/webhook-subscriptions/{id}", { params })).id === made.id, "got by id");
  const gone = await api.DELETE("/api/v1/webhook-subscriptions/{id}", { params, parseAs: "text" });
  check(gone.response.ok, "deleted");
}

async function events(): Promise<void> {
  const path = "/api/v1/telephony-events";
  const query = { size: 1000, page: 0, sort: "timestamp,desc" };
  const page = given(await api.POST(path, { params: { query }, body: {} })) as components["schemas"]["TelephonyEventPage"];
  const kinds = new Map<string, number>();
  for (const row of page.content) {
    if (row.type === "PHONE_CALL" && "voicemail" in row) check(typeof row.voicemail === "boolean", "a phone call");
    kinds.set(String(row.type), (kinds.get(String(row.type)) ?? 0) + 1);
  }
  check(["PHONE_CALL", "FAX_CALL", "CLICK_TO_CALL"].every((kind) => kinds.has(kind)), "rows of every kind");
  const row = page.content[0] as components["schemas"]["PhoneCall"];
  const one = await api.GET("/api/v1/telephony-events/{id}", { params: { path: { id: row.id } } });
  const same = await api.GET(path, { params: { query: { callId: String(row.callId) } } });
  check(one.response.ok && same.response.ok, "looked up by id and callId");
  const csv = await api.POST(path, { params: { query }, body: {}, headers: { Accept: "text/csv" }, parseAs: "text" });
  check(String(given(csv)).split("\r\n").length === 1002, "exported");
}

async function clickToCall(): Promise<void> {
  const user = given(await api.GET("/api/v2/users"))[0]!;
  const outboundNumber = user.outbound_cli!.available_dids![0]!.number;
  const body = { name: "support", extension: String(user.extension_number), outboundNumber, dial_first: "contact" } as const;
  const made = given(await api.POST("/api/v1/click-to-call", { body }));
  const params = { path: { id: made.id } };
  check(given(await api.GET("/api/v1/click-to-call")).length === 1, "listed");
  check(given(await api.GET("/api/v1/click-to-call/{id}", { params })).dial_first === "contact", "got by id");
  const contact = { contact: "+39987654321" };
  const ring = given(await api.POST("/api/v1/click-to-call/{id}/connect", { params, body: contact }));
  check(ring.contact === contact.contact, "connected");
  check((await api.DELETE("/api/v1/click-to-call/{id}", { params, parseAs: "text" })).response.ok, "deleted");
}

check(given(await api.POST("/api/v1/validate-auth")).name !== "", "the account");
await contacts();
await subscriptions();
await events();
await clickToCall();
const stranger = createClient<paths>({ baseUrl, headers: { "Voverc-Auth": "wrong" } });
check((await stranger.GET("/api/v2/users")).response.status === 401, "a wrong key");
console.log("done");
