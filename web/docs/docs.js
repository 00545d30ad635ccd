// The page of the API's operations: Swagger UI over the server's own document, nothing fetched from elsewhere.
"use strict";

// Every "Try it" of an operation that wants a key gets a fresh one, unless the reader typed one.
function withIdempotencyKey(request) {
  const wantsKey = Object.keys(request.headers).find((name) => name.toLowerCase() === "idempotency-key");
  if (wantsKey && !request.headers[wantsKey]) request.headers[wantsKey] = crypto.randomUUID();
  return request;
}

window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#operations",
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    persistAuthorization: false, // a token is not left behind in the browser
    requestInterceptor: withIdempotencyKey,
    tryItOutEnabled: true,
    validatorUrl: null, // would send the document to another site
  });
});
