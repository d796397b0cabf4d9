"use strict";
const viewer = document.getElementById("viewer");
SwaggerUIBundle({
  domNode: viewer,
  url: new URL(viewer.dataset.description, document.baseURI).href,
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  defaultModelRendering: "example",
  displayOperationId: true,
  filter: true,
  tryItOutEnabled: false,
});
