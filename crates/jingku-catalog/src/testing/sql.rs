//! SQL of another program.

use tokio_postgres::NoTls;

/// Runs SQL in a database, as another program would.
pub async fn run_sql(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server has started");
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.expect("the server runs the statement");
    drop(client);
    connection.await.expect("the connection does not panic").expect("the server closes it well");
}
