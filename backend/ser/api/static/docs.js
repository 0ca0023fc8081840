// Draws the API's description. The validator badge would call a foreign server, so it is off.
window.SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("api"),
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
  deepLinking: false,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  onComplete: () => {
    // The description pushes the problem codes down; a link to one of them must still arrive there.
    const target = document.getElementById(window.location.hash.slice(1));
    if (target) target.scrollIntoView();
  },
});
