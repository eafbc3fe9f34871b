// Java's own HTTP client at its defaults: over plain HTTP it offers HTTP/2 with each request.
// Arguments: the address of introspection, the id and key of who asks, and how often. Prints how many were answered.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

class Introspect {
    public static void main(String[] arguments) throws Exception {
        String caller = arguments[1] + ":" + arguments[2];
        String credentials = Base64.getEncoder().encodeToString(caller.getBytes(StandardCharsets.UTF_8));
        int times = Integer.parseInt(arguments[3]);
        HttpClient client = HttpClient.newHttpClient();
        int answered = 0;
        for (int i = 0; i < times; i++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
                    .header("Authorization", "Basic " + credentials)
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .POST(HttpRequest.BodyPublishers.ofString("token=" + arguments[2]))
                    .build();
            try {
                HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200 && answer.body().contains("\"active\":true")) {
                    answered++;
                } else {
                    System.err.println(answer.statusCode() + " " + answer.body());
                }
            } catch (java.io.IOException error) {
                System.err.println(error);
            }
        }
        System.out.println(answered + " of " + times);
    }
}
