"""The public web pages of passes: view models, HTML, QR codes and pictures. Storage and routes are elsewhere."""
