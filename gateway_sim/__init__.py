"""A payment gateway that moves no money: the HTTP application that stands in for a card provider in demos and tests.

It imports nothing of AutoSpot, keeps everything in memory, and signs its webhooks by Standard Webhooks like a real one.

    POST /v1/payment_intents                {reference, amount, currency, method, capture, return_url?}
    GET  /v1/payment_intents?reference=     GET /v1/payment_intents/{id}
    POST /v1/payment_intents/{id}/capture   {amount}
    POST /v1/payment_intents/{id}/cancel
    POST /v1/refunds                        {payment_intent, reference, amount}
    GET  POST /confirm/{id}                 the second step: a page with two buttons

`capture` is `automatic` or `manual`. Requests carry `Authorization: Bearer KEY`; a POST with an `Idempotency-Key` seen
before is answered as it was then.
`methods` says which test methods there are and how each behaves.
"""
