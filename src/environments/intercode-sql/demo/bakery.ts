/** A chain of bakeries: shops, products, staff and daily sales. Invented for Crux. */
export const bakery = `
USE bakery;
CREATE TABLE shop (
  shop_id int NOT NULL AUTO_INCREMENT,
  name varchar(40) NOT NULL,
  city varchar(40) DEFAULT NULL,
  opened_on date DEFAULT NULL,
  floor_area_m2 int DEFAULT NULL,
  PRIMARY KEY (shop_id)
);
INSERT INTO shop VALUES
(1, 'Corner Loaf', 'Aldermouth', '2009-04-12', 85),
(2, 'Mill Street', 'Aldermouth', '2015-09-01', 140),
(3, 'Harbour Crust', 'Calder Quay', '2018-03-20', 60),
(4, 'Station Oven', 'Dunmere', '2011-11-05', 110),
(5, 'Old Market', 'Dunmere', '1999-06-15', 200),
(6, 'Crumb & Co', 'Jorunn', '2021-02-28', NULL),
(7, 'Seven Grains', 'Calder Quay', '2013-08-09', 95),
(8, 'Hillside', 'Hethpool', '2020-10-17', 70),
(9, 'Night Bakery', 'Jorunn', '2016-12-01', 50),
(10, 'Garden Gate', 'Aldermouth', '2022-05-30', 45);
CREATE TABLE product (
  product_id int NOT NULL AUTO_INCREMENT,
  name varchar(40) NOT NULL,
  category varchar(20) DEFAULT NULL,
  price decimal(8,2) DEFAULT NULL,
  vegan tinyint(1) DEFAULT NULL,
  PRIMARY KEY (product_id)
);
INSERT INTO product VALUES
(1, 'Rye loaf', 'bread', 4.2, 1),
(2, 'Seed roll', 'bread', 1.1, 1),
(3, 'Honey bun', 'pastry', 2.6, 0),
(4, 'Almond twist', 'pastry', 3.4, 0),
(5, 'Oat biscuit', 'biscuit', 0.9, 1),
(6, 'Ginger snap', 'biscuit', 1.0, 1),
(7, 'Plum tart', 'cake', 5.5, 0),
(8, 'Walnut cake', 'cake', 18.0, 0),
(9, 'Sour white', 'bread', 3.8, 1),
(10, 'Cinnamon knot', 'pastry', 2.9, 0),
(11, 'Lemon slice', 'cake', 4.1, 0),
(12, 'Corn flat', 'bread', 2.2, NULL);
CREATE TABLE employee (
  employee_id int NOT NULL AUTO_INCREMENT,
  name varchar(40) NOT NULL,
  shop_id int DEFAULT NULL,
  role varchar(20) DEFAULT NULL,
  monthly_pay int DEFAULT NULL,
  hired_on date DEFAULT NULL,
  PRIMARY KEY (employee_id),
  KEY employee_shop_id (shop_id)
);
INSERT INTO employee VALUES
(1, 'Hanna Pell', 9, 'baker', 2400, '2015-11-24'),
(2, 'Otto Grange', 1, 'baker', 1900, '2012-10-16'),
(3, 'Lior Amsel', 9, 'cashier', 2400, '2013-10-30'),
(4, 'Freya Stone', 1, 'baker', 3100, '2021-06-07'),
(5, 'Basil Crane', 5, 'cashier', 2600, '2014-09-19'),
(6, 'Ines Holm', 3, 'baker', 2400, '2014-01-29'),
(7, 'Marek Duvall', 2, 'cashier', 2400, '2012-01-15'),
(8, 'Tilda Rowe', 3, 'cashier', 2250, '2018-02-18'),
(9, 'Yusuf Kern', 4, 'baker', 1900, NULL),
(10, 'Clara Benn', 3, 'baker', 2250, '2014-01-19'),
(11, 'Emil Sato', 1, 'cashier', 2400, '2012-12-09'),
(12, 'Nina Ferro', 5, 'cashier', 2600, '2019-05-11'),
(13, 'Percy Lund', 2, 'baker', 2600, '2020-09-14'),
(14, 'Rosa Teague', 1, 'baker', 2250, '2021-02-28');
CREATE TABLE sale (
  sale_id int NOT NULL AUTO_INCREMENT,
  shop_id int NOT NULL,
  product_id int NOT NULL,
  sold_on date DEFAULT NULL,
  quantity int DEFAULT NULL,
  discount_percent int DEFAULT NULL,
  PRIMARY KEY (sale_id),
  KEY sale_shop_id (shop_id),
  KEY sale_product_id (product_id)
);
INSERT INTO sale VALUES
(1, 2, 2, '2024-04-13', 19, NULL),
(2, 5, 1, '2024-03-18', 10, 0),
(3, 2, 9, '2024-05-16', 28, 0),
(4, 9, 6, '2024-03-25', 24, 5),
(5, 2, 4, '2024-02-08', 2, 10),
(6, 5, 11, '2024-05-10', 5, 10),
(7, 8, 9, '2024-01-06', 27, 10),
(8, 3, 1, '2024-01-09', 2, 0),
(9, 5, 1, '2024-04-07', 27, 5),
(10, 8, 1, '2024-01-06', 21, 10),
(11, 3, 7, '2024-03-09', 1, 5),
(12, 2, 11, '2024-05-09', 29, 10),
(13, 2, 10, '2024-05-15', 3, 5),
(14, 4, 1, '2024-03-09', 8, 0),
(15, 3, 11, '2024-04-28', 16, 5),
(16, 2, 7, '2024-03-15', 25, NULL),
(17, 9, 10, '2024-02-21', 3, 10),
(18, 2, 5, '2024-03-07', 21, 0),
(19, 9, 9, '2024-02-05', 1, 5),
(20, 1, 7, '2024-03-10', 22, NULL),
(21, 3, 10, '2024-05-06', 10, 10),
(22, 4, 7, '2024-04-30', 15, NULL),
(23, 8, 3, '2024-03-21', 3, 5),
(24, 1, 4, '2024-04-28', 3, 10),
(25, 7, 4, '2024-04-10', 7, 0),
(26, 2, 9, '2024-01-25', 5, 10),
(27, 4, 5, '2024-02-04', 20, 10),
(28, 4, 1, '2024-04-04', 8, 5),
(29, 7, 6, '2024-01-08', 6, NULL),
(30, 7, 10, '2024-04-26', 13, 0),
(31, 2, 6, '2024-03-30', 13, 0),
(32, 2, 5, '2024-01-02', 11, 0),
(33, 5, 1, '2024-02-21', 23, NULL),
(34, 4, 4, '2024-04-06', 3, 5),
(35, 5, 9, '2024-01-21', 12, 5),
(36, 4, 1, '2024-03-13', 4, NULL),
(37, 4, 10, '2024-02-09', 8, 0),
(38, 5, 9, '2024-03-22', 7, 0),
(39, 5, 1, '2024-04-13', 29, 10),
(40, 8, 3, '2024-01-22', 2, 5);
`;
