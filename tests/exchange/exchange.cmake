# Models in the formats of other programs.
drumline_test(exchange/magenta_names LINK drumline_exchange)
drumline_test(exchange/notes LINK drumline_exchange)
