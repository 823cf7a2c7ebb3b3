// Contacts through Java's own client, which waits to be told to continue: java Expect.java URL KEY.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

public class Expect {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static String url;
    private static String key;

    public static void main(String[] arguments) throws Exception {
        url = arguments[0];
        key = arguments[1];
        String contact = "{\"first_name\":\"Ada\",\"primary_phone\":\"+390312345678\"}";
        String made = send("POST", "/api/v1/contacts", contact, 200);
        String own = "/api/v1/contacts/" + made.split("\"id\":\"")[1].split("\"")[0];
        send("PUT", own, contact, 200);
        send("POST", own, contact, 200);
        send("GET", own, null, 200);
        send("POST", "/api/v1/contacts", "{}", 400);
        send("POST", "/api/v1/telephony-events", "{}", 200);
        send("DELETE", own, null, 200);
        send("GET", own, null, 404);
        System.out.println("done");
    }

    private static String send(String method, String path, String body, int status) throws Exception {
        HttpRequest.BodyPublisher publisher = body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(body);
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
            .timeout(Duration.ofSeconds(10))
            .header("Voverc-Auth", key)
            .header("Content-Type", "application/json")
            .expectContinue(true)
            .method(method, publisher)
            .build();
        HttpResponse<String> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != status) {
            throw new IllegalStateException(method + " " + path + ": " + response.statusCode() + " " + response.body());
        }
        return response.body();
    }
}
