/** Ferries between invented ports: vessels, routes and dated sailings, some with unknown passengers or delay. Invented for Crux. */
export const ferryLine = `
USE ferry_line;
CREATE TABLE port (
  port_id int NOT NULL AUTO_INCREMENT,
  name varchar(40) NOT NULL,
  country varchar(40) DEFAULT NULL,
  depth_m double DEFAULT NULL,
  PRIMARY KEY (port_id)
);
INSERT INTO port VALUES
(1, 'Aldermouth', 'Norvane', 14.5),
(2, 'Brisk Haven', 'Norvane', 9.0),
(3, 'Calder Quay', 'Ostmark', 11.2),
(4, 'Dunmere', 'Ostmark', 7.8),
(5, 'Elverstrand', 'Ostmark', 16.0),
(6, 'Farrow Point', 'Tilland', 6.5),
(7, 'Gullsand', 'Tilland', NULL),
(8, 'Hethpool', 'Norvane', 12.1),
(9, 'Ister Bay', 'Tilland', 8.4),
(10, 'Jorunn', 'Ostmark', 10.0);
CREATE TABLE vessel (
  vessel_id int NOT NULL AUTO_INCREMENT,
  name varchar(40) NOT NULL,
  capacity int DEFAULT NULL,
  built_year int DEFAULT NULL,
  home_port_id int DEFAULT NULL,
  PRIMARY KEY (vessel_id),
  KEY vessel_home_port_id (home_port_id)
);
INSERT INTO vessel VALUES
(1, 'Grey Heron', 420, 1998, 1),
(2, 'Lady Ostra', 610, 2006, 3),
(3, 'Tern', 180, 1987, 2),
(4, 'Kittiwake', 240, 2011, 2),
(5, 'North Passage', 880, 2015, 5),
(6, 'Sandpiper', 150, 1979, 6),
(7, 'Morning Tide', 500, 2003, 1),
(8, 'Skua', 320, 2011, 8),
(9, 'Old Faith', 275, 1972, NULL),
(10, 'Blue Meridian', 760, 2019, 5);
CREATE TABLE route (
  route_id int NOT NULL AUTO_INCREMENT,
  from_port_id int NOT NULL,
  to_port_id int NOT NULL,
  distance_km int DEFAULT NULL,
  PRIMARY KEY (route_id),
  KEY route_from_port_id (from_port_id),
  KEY route_to_port_id (to_port_id)
);
INSERT INTO route VALUES
(1, 1, 3, 142),
(2, 1, 2, 38),
(3, 2, 6, 97),
(4, 3, 5, 64),
(5, 5, 1, 188),
(6, 8, 4, 121),
(7, 6, 9, 27),
(8, 4, 10, 55),
(9, 9, 3, 204),
(10, 10, 8, 133),
(11, 2, 5, 176),
(12, 7, 6, 19);
CREATE TABLE sailing (
  sailing_id int NOT NULL AUTO_INCREMENT,
  vessel_id int NOT NULL,
  route_id int NOT NULL,
  departed_on date DEFAULT NULL,
  passengers int DEFAULT NULL,
  delay_minutes int DEFAULT NULL,
  PRIMARY KEY (sailing_id),
  KEY sailing_vessel_id (vessel_id),
  KEY sailing_route_id (route_id)
);
INSERT INTO sailing VALUES
(1, 4, 3, '2024-05-31', 42, 0),
(2, 5, 2, '2023-12-27', 89, 90),
(3, 1, 2, '2023-11-26', 65, 5),
(4, 5, 7, '2023-12-04', NULL, NULL),
(5, 2, 11, '2024-03-31', 93, NULL),
(6, 4, 1, '2024-06-09', 41, 90),
(7, 2, 5, '2024-03-28', 583, 0),
(8, 3, 9, '2024-03-30', 76, 0),
(9, 7, 11, '2024-05-03', 79, 90),
(10, 1, 10, '2024-03-09', NULL, 5),
(11, 8, 9, '2024-03-31', 190, 50),
(12, 5, 6, '2024-04-29', 843, 0),
(13, 10, 4, '2024-03-08', 337, 90),
(14, 4, 8, '2024-03-13', 48, 0),
(15, 4, 3, '2024-02-18', 68, 50),
(16, 1, 11, '2024-03-28', NULL, 90),
(17, 10, 6, '2024-03-09', 388, NULL),
(18, 7, 8, '2024-01-11', NULL, 0),
(19, 5, 11, '2024-04-16', NULL, 12),
(20, 7, 11, '2024-06-17', 175, 35),
(21, 8, 6, '2024-02-01', NULL, 50),
(22, 2, 10, '2024-05-17', 90, 5),
(23, 3, 3, '2024-06-24', 131, 35),
(24, 5, 2, '2024-01-13', 441, 90),
(25, 2, 7, '2024-02-02', 315, 35),
(26, 8, 7, '2023-12-18', 107, 0),
(27, 2, 4, '2024-06-02', 42, 50),
(28, 7, 3, '2024-02-18', 32, 0),
(29, 5, 6, '2024-04-27', 356, 0),
(30, 5, 10, '2024-02-27', 787, 0),
(31, 10, 11, '2024-02-13', 431, 35),
(32, 4, 2, '2023-12-21', 132, 0),
(33, 1, 4, '2024-04-04', 86, 20),
(34, 1, 2, '2024-03-19', NULL, 0),
(35, 1, 6, '2024-04-08', 66, 5),
(36, 4, 3, '2024-02-04', 118, NULL);
`;
