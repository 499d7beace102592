//! Changing an image, also from several browsers.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jingku_catalog::{AccountId, ImageWeight};

use crate::browser::{Answer, Browser, MORE_TEXTS, Server};

const MINE: &str = "/console/images/compshareImage-mine";
/// A picture of one pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// What the nth form of the page has seen.
fn seen(page: &Answer, nth: usize) -> String {
    let rest = page.text.split("name=\"seen\" value=\"").nth(nth + 1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn save_readme(browser: &Browser, seen: &str, text: &str) -> Answer {
    browser.submit(&format!("{MINE}/readme"), &[("seen", seen), ("readme", text)]).await
}

#[tokio::test]
async fn two_browsers_do_not_overwrite_each_other_unseen() {
    let server = Server::start().await;
    let [one, two] = [server.signed_in(1).await, server.signed_in(1).await];
    let opened = seen(&one.get(MINE).await, 0);
    let edit = async |browser: &Browser, seen: &str, description: &str| {
        let fields = [("seen", seen), ("name", "mine"), ("description", description), ("tags", "a")];
        browser.submit(&format!("{MINE}/edit"), &fields).await
    };
    let saved = edit(&one, &opened, "of one").await;
    assert!(saved.location().ends_with("?done=edited"), "{}", saved.text);
    let refused = edit(&two, &opened, "of two").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    for text in ["The image has changed", "description\">of one</p>", "of two</textarea>"] {
        assert!(refused.text.contains(text), "{text}: {}", refused.text);
    }
    // The form now shows what it overwrites.
    let saved = edit(&two, &seen(&refused, 0), "of two").await;
    assert!(saved.location().ends_with("?done=edited"), "{}", saved.text);
    // A change of something else is no reason to refuse.
    let page = one.get(MINE).await;
    let readme = seen(&one.get(&format!("{MINE}/readme")).await, 0);
    save_readme(&one, &readme, "new").await;
    let saved = edit(&two, &seen(&page, 0), "again").await;
    assert!(saved.location().ends_with("?done=edited"), "{}", saved.text);
}

#[tokio::test]
async fn what_was_entered_stays_when_it_is_refused() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let fields = [("name", "not a name"), ("description", "\r\n\r\nlong text"), ("tags", "x, y")];
    let refused = browser.submit(&format!("{MINE}/edit"), &fields).await;
    for text in ["value=\"not a name\"", "\nlong text</textarea>", "value=\"x, y\"", "<h1>mine</h1>"] {
        assert!(refused.text.contains(text), "{text}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_readme_is_previewed_and_saved() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let path = format!("{MINE}/readme");
    let page = browser.get(&path).await;
    for text in ["Readme of mine", "at most 100000 characters", "**bold**</textarea>"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let opened = seen(&page, 0);
    let text = "    code\r\n\r\n*new* <img src=x onerror=alert(1)>";
    let fields = [("seen", &*opened), ("readme", text), ("preview", "yes")];
    let preview = browser.submit_file(&path, &fields, "none", b"").await;
    assert_eq!((preview.status, seen(&preview, 0)), (StatusCode::OK, opened.clone()));
    for text in ["<h2>Preview</h2>", "<code>code", "<em>new</em> &lt;img", ">\n    code\n\n*new*"] {
        assert!(preview.text.contains(text), "{text}: {}", preview.text);
    }
    assert!(browser.get(MINE).await.text.contains("<strong>bold</strong>"));
    let saved = save_readme(&browser, &opened, text).await;
    assert!(saved.location().ends_with("?done=edited"), "{}", saved.text);
    assert!(browser.get(MINE).await.text.contains("<em>new</em>"));
    let refused = save_readme(&browser, &opened, "of another browser").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    for text in ["of another browser</textarea>", "<h2>Saved readme</h2>", "<em>new</em>"] {
        assert!(refused.text.contains(text), "{text}: {}", refused.text);
    }
    // The longest one, with four bytes a character.
    let longest = "𠮷".repeat(100_000);
    let fields = |text| [("seen", ""), ("readme", text)];
    let saved = browser.submit_file(&path, &fields(&longest), "none", b"").await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let refused = browser.submit_file(&path, &fields(&format!("{longest}.")), "none", b"").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    save_readme(&browser, "", "").await;
    assert!(browser.get(MINE).await.text.contains("Tell others how to use the image."));
}

#[tokio::test]
async fn a_cover_is_set_replaced_and_removed() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let path = format!("{MINE}/cover");
    let picture = STANDARD.decode(PNG).unwrap();
    let page = browser.get(MINE).await;
    assert!(page.text.contains("at most 512 KB and 4096") && !page.text.contains("name=\"remove\""));
    let opened = seen(&page, 1);
    for file in [&b"<svg onload=alert(1)></svg>"[..], &picture[..50], &vec![0; 600 << 10]] {
        let refused = browser.submit_file(&path, &[("seen", &opened)], "cover", file).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("This cannot be a cover"), "{}", refused.text);
    }
    for (name, file) in [("cover", &b""[..]), ("other", &picture)] {
        let refused = browser.submit_file(&path, &[], name, file).await;
        assert!(refused.text.contains("Choose a picture first"), "{}", refused.text);
    }
    let refused = browser.submit_file(&path, &[], "cover", &vec![0; 2 << 20]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.text.contains("The file or text is too large"), "{}", refused.text);
    let saved = browser.submit_file(&path, &[("seen", &opened)], "cover", &picture).await;
    assert!(saved.location().ends_with("?done=covered"), "{}", saved.text);
    let page = browser.get(MINE).await;
    assert!(page.text.contains("src=\"/covers/") && page.text.contains("name=\"remove\""), "{}", page.text);
    let refused = browser.submit(&path, &[("seen", &opened), ("remove", "yes")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("The cover has changed"), "{}", refused.text);
    let removed = browser.submit(&path, &[("seen", &seen(&page, 1)), ("remove", "yes")]).await;
    assert!(removed.location().ends_with("?done=uncovered"), "{}", removed.text);
    assert!(!browser.get(MINE).await.text.contains("/covers/"));
}

#[tokio::test]
async fn a_form_with_a_file_needs_the_token() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let path = format!("{MINE}/cover");
    for (token, remove) in [("", "yes"), ("x", "yes")] {
        let refused = browser.post(&path, &[("form_token", token), ("remove", remove)]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    let other = server.signed_in(2).await;
    for path in [path, format!("{MINE}/readme")] {
        let refused = other.submit_file(&path, &[("readme", "x"), ("remove", "yes")], "cover", b"x").await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_page_of_an_image_says_where_it_came_from_and_what_it_weighs() {
    let server = Server::start_with("http://127.0.0.1:8480", MORE_TEXTS).await;
    let browser = server.signed_in(1).await;
    let copied = browser.submit(&format!("{MINE}/copy"), &[("name", "copy")]).await;
    let page = browser.get(copied.location()).await.text;
    for text in ["Copy of", "/console/images/compshareImage%2Dmine\"><code>compshareImage-mine"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let mine = browser.get(MINE).await.text;
    assert!(
        !mine.contains("Copy of") && mine.contains("/console/activity?image=compshareImage-mine\""),
        "{mine}"
    );
    let published = browser.get("/console/images/compshareImage-published").await.text;
    let [before, versions] = published.split("<h2>Versions</h2>").collect::<Vec<_>>()[..] else {
        panic!("{published}");
    };
    assert!(versions.contains("compshareImage%2Dpublished\" aria-current=\"page\""), "{versions}");
    assert!(before.contains("Data without zeros") && before.contains("Not measured yet"), "{before}");
    let weight =
        ImageWeight { image_id: "compshareImage-mine".to_owned(), stored_bytes: 1 << 30, unique_bytes: 1024 };
    server.context.library.catalog.save_image_weights(AccountId(1), &[weight]).await.unwrap();
    let page = browser.get(MINE).await.text;
    for text in ["<dd>1 GB</dd>", "Needed by no other image</dt><dd>1 KB</dd>"] {
        assert!(page.contains(text), "{text}: {page}");
    }
}
