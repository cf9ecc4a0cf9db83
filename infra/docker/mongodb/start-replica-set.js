// Makes the one member a primary; run by mongosh, any number of times.
// Change streams and transactions need a replica set, and a set of one behaves like a set of many to its clients.
const deadlineMs = Date.now() + 60_000;

try {
  rs.status();
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error;
  rs.initiate({ _id: 'hushryd', members: [{ _id: 0, host: 'mongodb:27017' }] });
}

while (!db.hello().isWritablePrimary) {
  if (Date.now() > deadlineMs) throw new Error('the replica set has no primary after 60 s');
  sleep(200);
}
print('the replica set has a primary');
